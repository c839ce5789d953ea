//! Text from files: markup that is safe to show, text without markup for the search, handles for addresses.

use std::sync::LazyLock;

/// As long as a category's handle may be.
const SLUG_CHARS: usize = 191;

/// What a description may hold: ammonia's own list, which has no scripts, styles, forms, frames or handlers. Links
/// and pictures lead to the web or a mail program, nowhere else.
static SANITISER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut builder = ammonia::Builder::default();
    builder.url_schemes(["http", "https", "mailto"].into());
    builder.link_rel(Some("noopener noreferrer nofollow"));
    builder
});

/// A description that can do no harm in a page.
pub fn sanitise(html: &str) -> String {
    SANITISER.clean(html.trim()).to_string()
}

/// The text of sanitised markup, words of neighbouring elements kept apart.
pub fn plain(sanitised: &str) -> String {
    let mut text = String::with_capacity(sanitised.len());
    let mut rest = sanitised;
    while let Some(open) = rest.find('<') {
        text.push_str(&rest[..open]);
        text.push(' ');
        rest = &rest[open + end_of_tag(&rest[open..])..];
    }
    text.push_str(rest);
    // The sanitiser writes these four and no others.
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Bytes up to and with the `>` that ends a tag: one inside a quoted attribute does not.
fn end_of_tag(tag: &str) -> usize {
    let mut quoted = false;
    for (index, byte) in tag.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return index + 1,
            _ => {}
        }
    }
    tag.len()
}

/// Whether this is an address that a browser can fetch a picture from.
pub fn is_on_the_web(url: &str) -> bool {
    let on_the_web = url.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    // Addresses with letters of other scripts are common, and browsers take them.
    let lower = url.to_ascii_lowercase();
    let readable = !url.is_ascii()
        && (lower.starts_with("https://") || lower.starts_with("http://"))
        && !url.contains(char::is_whitespace);
    on_the_web || readable
}

/// `Coffee & Tea` as `coffee-tea`. Letters of all scripts stay; empty when there is none.
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    let mut length = 0;
    let mut gap = false;
    for c in name.chars() {
        if c == '\'' || c == '’' {
            continue;
        }
        if !c.is_alphanumeric() {
            gap = !slug.is_empty();
            continue;
        }
        for lower in c.to_lowercase() {
            if length + usize::from(gap) >= SLUG_CHARS {
                return slug;
            }
            if gap {
                slug.push('-');
                length += 1;
                gap = false;
            }
            slug.push(lower);
            length += 1;
        }
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_that_could_do_harm_is_taken_out() {
        let html = r#"<p onclick="x()">Soft<script>alert(1)</script> <b>wool</b></p><a href="javascript:x()">a</a>
            <img src="data:image/png;base64,AA"><iframe src="https://a.example"></iframe><style>p{}</style>"#;
        let clean = sanitise(html);
        for bad in ["script", "onclick", "alert", "data:", "iframe", "style"] {
            assert!(!clean.contains(bad), "{bad}: {clean}");
        }
        assert!(clean.starts_with("<p>Soft <b>wool</b></p>"), "{clean}");
        // Cleaning what is clean changes nothing, so a second import finds the same.
        assert_eq!(sanitise(&clean), clean);
    }

    #[test]
    fn search_text_has_the_words_and_no_markup() {
        let clean = sanitise(
            "<ul><li>One</li><li>Two &amp; three</li></ul><a href='https://a.example/' title='x > y'>4 &lt; 5</a>",
        );
        assert_eq!(plain(&clean), "One Two & three 4 < 5");
        assert_eq!(plain("&amp;lt;"), "&lt;");
        assert_eq!(plain("plain"), "plain");
    }

    #[test]
    fn a_slug_is_short_and_keeps_every_script() {
        assert_eq!(slug("Coffee & Tea"), "coffee-tea");
        assert_eq!(slug("  Chef's Knife! "), "chefs-knife");
        assert_eq!(slug("주방 용품"), "주방-용품");
        assert_eq!(slug("!!!"), "");
        assert!(slug(&"a b ".repeat(500)).chars().count() <= SLUG_CHARS);
        assert!(!slug(&"a b ".repeat(500)).ends_with('-'));
    }
}
