//! The storefront's files, as a browser with a cache asks for them.
//!
//! Every page is the same `index.html` (`no-cache`, always sent whole); what it and the modules name lies under `/v/RELEASE/` and is
//! immutable: a browser asks for each once. Which files a page needs is found out before the load, by following the imports.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context as _, Result};
use http::{HeaderValue, header};

use super::client::{Ask, Client};

/// The pages that shoppers open, and the view and style sheet that each needs (the storefront's `routes.mjs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    Home,
    Search,
    Category,
    Product,
    Cart,
    Checkout,
    Orders,
    Order,
    Login,
    Register,
}

impl View {
    const ALL: [Self; 10] = [
        Self::Home,
        Self::Search,
        Self::Category,
        Self::Product,
        Self::Cart,
        Self::Checkout,
        Self::Orders,
        Self::Order,
        Self::Login,
        Self::Register,
    ];

    fn module(self) -> &'static str {
        match self {
            Self::Home => "views/home.mjs",
            Self::Search => "views/search.mjs",
            Self::Category => "views/category.mjs",
            Self::Product => "views/product.mjs",
            Self::Cart => "views/cart.mjs",
            Self::Checkout => "views/checkout.mjs",
            Self::Orders => "views/orders.mjs",
            Self::Order => "views/order.mjs",
            Self::Login => "views/login.mjs",
            Self::Register => "views/register.mjs",
        }
    }

    fn style(self) -> &'static str {
        match self {
            Self::Home | Self::Search | Self::Category | Self::Product => "styles/catalogue.css",
            Self::Cart | Self::Checkout | Self::Orders | Self::Order => "styles/checkout.css",
            Self::Login | Self::Register => "styles/account.css",
        }
    }
}

/// More files than any storefront has.
const MOST_FILES: usize = 500;

/// What each view needs beyond the page itself: places in `files`.
#[derive(Debug, Default)]
pub struct Pages {
    /// Paths, `/v/RELEASE/…`.
    pub files: Vec<String>,
    views: BTreeMap<View, Vec<u16>>,
}

/// The files that a browser has kept: one bit a file.
#[derive(Debug, Clone, Default)]
pub struct Kept(Vec<u64>);

impl Kept {
    /// Notes a file; true when it was not there.
    pub fn is_new(&mut self, file: u16) -> bool {
        let (word, bit) = (usize::from(file) / 64, 1 << (file % 64));
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let is_new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        is_new
    }

    /// All files are there: a browser that was here before.
    pub fn all(pages: &Pages) -> Self {
        Self(vec![u64::MAX; pages.files.len().div_ceil(64)])
    }
}

impl Pages {
    /// Reads the page, then module after module.
    ///
    /// # Errors
    /// When the page does not come.
    pub async fn read(client: &mut Client) -> Result<Self> {
        let page = text(client, "/").await?;
        let named: Vec<String> = quoted(&page)
            .filter(|path| path.starts_with("/v/"))
            .map(str::to_owned)
            .collect();
        let Some(base) = named.iter().find_map(|path| {
            let release = path.strip_prefix("/v/")?.split('/').next()?;
            Some(format!("/v/{release}/"))
        }) else {
            // A page that names nothing needs nothing.
            return Ok(Self::default());
        };
        let mut reader = Reader {
            client,
            base,
            imports: HashMap::new(),
        };
        let texts = format!("{}texts/en.mjs", reader.base);
        let always: Vec<String> = named.into_iter().chain([texts]).collect();
        let mut pages = Self::default();
        let mut numbers = HashMap::new();
        for view in View::ALL {
            let mut wanted: BTreeSet<String> = BTreeSet::new();
            let own = [view.module(), view.style()].map(|path| format!("{}{path}", reader.base));
            for path in always.iter().chain(&own) {
                reader.follow(path, &mut wanted).await?;
            }
            let numbered = wanted.into_iter().filter_map(|path| {
                let next = u16::try_from(numbers.len()).ok()?;
                Some(*numbers.entry(path.clone()).or_insert_with(|| {
                    pages.files.push(path);
                    next
                }))
            });
            let numbered = numbered.collect();
            pages.views.insert(view, numbered);
        }
        Ok(pages)
    }

    /// The files of a view.
    pub fn of(&self, view: View) -> &[u16] {
        self.views.get(&view).map_or(&[], Vec::as_slice)
    }
}

struct Reader<'a> {
    client: &'a mut Client,
    base: String,
    imports: HashMap<String, Vec<String>>,
}

impl Reader<'_> {
    /// Adds a file and all that it leads to.
    async fn follow(&mut self, path: &str, wanted: &mut BTreeSet<String>) -> Result<()> {
        let mut open = vec![path.to_owned()];
        while let Some(path) = open.pop() {
            if wanted.len() >= MOST_FILES || !wanted.insert(path.clone()) {
                continue;
            }
            if !self.imports.contains_key(&path) {
                let imports = self.imports_of(&path).await?;
                self.imports.insert(path.clone(), imports);
            }
            open.extend(self.imports[&path].iter().cloned());
        }
        Ok(())
    }

    async fn imports_of(&mut self, path: &str) -> Result<Vec<String>> {
        let module = std::path::Path::new(path)
            .extension()
            .is_some_and(|ending| ending == "mjs");
        if !module {
            return Ok(Vec::new());
        }
        let source = text(self.client, path).await?;
        let own = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let imports = source
            .lines()
            .filter(|line| {
                line.starts_with("import ") || line.starts_with("} from ") || line.starts_with("export ")
            })
            .flat_map(quoted)
            .filter(|name| name.starts_with("./") || name.starts_with("../"))
            .map(|name| joined(own, name));
        Ok(imports.filter(|path| path.starts_with(&self.base)).collect())
    }
}

/// What stands between quotation marks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

/// A relative name in a folder.
fn joined(folder: &str, name: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in name.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

async fn text(client: &mut Client, path: &str) -> Result<String> {
    let headers = [(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"))];
    let ask = Ask {
        headers: &headers,
        keep_body: true,
        ..Ask::get(path)
    };
    let answer = client.send(&ask).await.with_context(|| format!("GET {path}"))?;
    anyhow::ensure!(
        answer.status == 200,
        "GET {path} was answered with {}",
        answer.status
    );
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_joined_as_browsers_do() {
        assert_eq!(joined("/v/1/views", "../lib/api.mjs"), "/v/1/lib/api.mjs");
        assert_eq!(joined("/v/1", "./lib/api.mjs"), "/v/1/lib/api.mjs");
    }

    #[test]
    fn a_file_is_asked_for_once() {
        let mut kept = Kept::default();
        assert!(kept.is_new(70));
        assert!(!kept.is_new(70));
        assert!(kept.is_new(6));
        let pages = Pages {
            files: vec![String::new(); 3],
            views: BTreeMap::new(),
        };
        assert!(!Kept::all(&pages).is_new(2));
    }
}
