//! One HTML page that needs nothing else: no script, no font, no other host. All text that comes in is escaped.

use std::fmt::Write as _;

use super::chart::Picture;
use super::table::{Table, Tone};
use crate::result::Audit;

const STYLE: &str = include_str!("page.css");

/// What the run came to, as the page's banner says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Good,
    Bad,
    /// Says nothing: invalid, not audited, cut short.
    Open,
}

impl Standing {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Open => "open",
        }
    }
}

/// A page that is written from top to bottom.
#[derive(Debug, Clone)]
pub struct Page {
    title: String,
    body: String,
}

impl Page {
    /// Begins with the title as heading and a line below it that says what is shown.
    pub fn new(title: &str, about: &str) -> Self {
        let mut page = Self {
            title: title.to_owned(),
            body: String::new(),
        };
        let _ = writeln!(page.body, "<h1>{}</h1>", escape(title));
        if !about.is_empty() {
            let _ = writeln!(page.body, "<p class=\"about\">{}</p>", escape(about));
        }
        page
    }

    /// The verdict, and a line for each reason.
    pub fn banner(&mut self, standing: Standing, verdict: &str, reasons: &[String]) -> &mut Self {
        let _ = writeln!(
            self.body,
            "<div class=\"banner {}\" role=\"status\"><strong>{}</strong>",
            standing.class(),
            escape(verdict)
        );
        self.list(reasons);
        self.body.push_str("</div>\n");
        self
    }

    /// Names and values: the conditions of the run. Empty values are left out.
    pub fn facts<N: AsRef<str>, V: AsRef<str>>(&mut self, facts: &[(N, V)]) -> &mut Self {
        self.body.push_str("<dl>\n");
        for (name, value) in facts {
            if !value.as_ref().is_empty() {
                let (name, value) = (escape(name.as_ref()), escape(value.as_ref()));
                let _ = writeln!(self.body, "<div><dt>{name}</dt><dd>{value}</dd></div>");
            }
        }
        self.body.push_str("</dl>\n");
        self
    }

    /// A heading; what follows belongs to it.
    pub fn section(&mut self, heading: &str) -> &mut Self {
        let _ = writeln!(self.body, "<h2>{}</h2>", escape(heading));
        self
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        let _ = writeln!(self.body, "<p>{}</p>", escape(text));
        self
    }

    /// A small remark below a table or picture.
    pub fn note(&mut self, text: &str) -> &mut Self {
        let _ = writeln!(self.body, "<p class=\"note\">{}</p>", escape(text));
        self
    }

    /// Nothing for no items.
    pub fn list<T: AsRef<str>>(&mut self, items: &[T]) -> &mut Self {
        if !items.is_empty() {
            self.body.push_str("<ul>\n");
            for item in items {
                let _ = writeln!(self.body, "<li>{}</li>", escape(item.as_ref()));
            }
            self.body.push_str("</ul>\n");
        }
        self
    }

    /// What the audit of the database said, a line a check.
    pub fn audit(&mut self, audit: Option<&Audit>) -> &mut Self {
        let (what, said) = match audit {
            Some(Audit::Passed(said)) => ("Audit of the database passed:", said.as_str()),
            Some(Audit::Failed(said)) => ("Audit of the database FAILED:", said.as_str()),
            Some(Audit::NotRun(why)) => ("Audit of the database could not run:", why.as_str()),
            None => ("The database was not audited.", ""),
        };
        self.text(what).list(&said.lines().collect::<Vec<_>>())
    }

    pub fn table(&mut self, table: &Table) -> &mut Self {
        self.body.push_str(&table.html());
        self
    }

    /// A picture on a white card, which stays white in the dark: its colours were chosen for it.
    pub fn figure(&mut self, picture: &dyn Picture, caption: &str) -> &mut Self {
        let drawn = picture.svg().unwrap_or_else(|error| {
            let said = escape(&format!("{} could not be drawn: {error:#}", picture.title()));
            format!("<p class=\"{}\">{said}</p>\n", Tone::Bad.class())
        });
        let _ = writeln!(
            self.body,
            "<figure>\n{drawn}<figcaption>{}</figcaption></figure>",
            escape(caption)
        );
        self
    }

    /// The whole document.
    pub fn finish(&self) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
            escape(&self.title),
            self.body
        )
    }
}

/// Text for HTML, in elements and in quoted attributes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Control characters have no place in HTML, nor in the XML of pictures.
            other if other.is_control() && other != '\n' && other != '\t' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Result, bail};

    const EVIL: &str = "</title><script>alert('x' & \"y\")</script>\u{7}";

    struct Broken;

    impl Picture for Broken {
        fn title(&self) -> &str {
            EVIL
        }

        fn svg(&self) -> Result<String> {
            bail!("no ink <here>")
        }
    }

    #[test]
    fn nothing_that_comes_in_is_taken_for_html() {
        let mut page = Page::new(EVIL, EVIL);
        page.banner(Standing::Bad, EVIL, &[EVIL.to_owned()])
            .facts(&[(EVIL, EVIL)])
            .section(EVIL)
            .text(EVIL)
            .note(EVIL)
            .list(&[EVIL])
            .figure(&Broken, EVIL);
        let html = page.finish();
        assert!(!html.contains("<script"), "{html}");
        assert!(!html.contains('\u{7}'), "{html}");
        let evil = "&lt;/title&gt;&lt;script&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/script&gt;";
        assert_eq!(html.matches(evil).count(), 13, "{html}");
        assert!(html.contains("no ink &lt;here&gt;"), "{html}");
    }

    #[test]
    fn a_page_asks_nobody_for_anything() {
        let html = Page::new("a", "").finish();
        assert!(html.contains("default-src 'none'"));
        for asking in ["src=", "href=", "url(", "@import", "http://", "https://"] {
            assert!(!html.contains(asking), "{asking}");
        }
    }

    #[test]
    fn facts_without_value_are_left_out() {
        let html = Page::new("a", "").facts(&[("quota", ""), ("url", "u")]).finish();
        assert!(!html.contains("quota") && html.contains("<dt>url</dt><dd>u</dd>"));
    }
}
