//! A browser's cookies, as far as the shop's go: names, values, paths.

use http::{HeaderMap, HeaderValue, header};

/// Where cookies go: the storefront's files look at none.
const API: &str = "/api/v1/";

/// The cookies of one browser.
#[derive(Debug, Clone, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
    /// What goes to every path of the API but that of sessions: made once, sent often.
    header: Option<HeaderValue>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cookie {
    name: String,
    value: String,
    path: String,
}

impl Jar {
    /// Takes what an answer sets; an empty value or a Max-Age of 0 takes the cookie away.
    pub fn take(&mut self, headers: &HeaderMap) {
        let mut changed = false;
        for line in headers.get_all(header::SET_COOKIE) {
            if let Some(text) = line.to_str().ok().filter(|text| !text.is_empty()) {
                changed |= self.set(text);
            }
        }
        if changed {
            self.header = self.line(API);
        }
    }

    fn set(&mut self, line: &str) -> bool {
        let mut parts = line.split(';').map(str::trim);
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            return false;
        };
        let (mut path, mut gone) = ("/".to_owned(), value.is_empty());
        for part in parts {
            match part.split_once('=') {
                Some((key, value)) if key.eq_ignore_ascii_case("path") => value.clone_into(&mut path),
                Some((key, "0")) if key.eq_ignore_ascii_case("max-age") => gone = true,
                _ => {}
            }
        }
        self.cookies
            .retain(|cookie| cookie.name != name || cookie.path != path);
        if !gone {
            self.cookies.push(Cookie {
                name: name.to_owned(),
                value: value.to_owned(),
                path,
            });
        }
        true
    }

    /// The Cookie header for a path.
    pub fn header(&self, path: &str) -> Option<HeaderValue> {
        if path.starts_with("/api/v1/sessions") {
            self.line(path)
        } else {
            self.header.clone()
        }
    }

    fn line(&self, path: &str) -> Option<HeaderValue> {
        let fits = |cookie: &&Cookie| path.starts_with(cookie.path.as_str());
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .filter(fits)
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        let line = Some(pairs.join("; ")).filter(|line| !line.is_empty())?;
        let mut value = HeaderValue::from_str(&line).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The value of a cookie.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.cookies
            .iter()
            .find(|cookie| cookie.name == name)
            .map(|cookie| cookie.value.as_str())
    }

    /// A jar with this one cookie.
    pub fn with(name: &str, value: &str) -> Self {
        let mut jar = Self::default();
        jar.set(&format!("{name}={value}"));
        jar.header = jar.line(API);
        jar
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test ends by panicking")]
mod tests {
    use super::*;

    fn answer(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::SET_COOKIE, HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn the_refresh_token_goes_to_sessions_alone() {
        let mut jar = Jar::default();
        jar.take(&answer(&[
            "trestle_access=a; Path=/; HttpOnly",
            "trestle_cart=c; Path=/api; HttpOnly",
            "trestle_refresh=r; Path=/api/v1/sessions; HttpOnly",
        ]));
        assert_eq!(
            jar.header("/api/v1/cart").unwrap(),
            "trestle_access=a; trestle_cart=c"
        );
        assert_eq!(
            jar.header("/api/v1/sessions/refresh").unwrap(),
            "trestle_access=a; trestle_cart=c; trestle_refresh=r"
        );
    }

    #[test]
    fn a_cookie_is_replaced_and_taken_away() {
        let mut jar = Jar::default();
        jar.take(&answer(&["c=1; Path=/"]));
        jar.take(&answer(&["c=2; Path=/"]));
        assert_eq!(
            (jar.get("c"), jar.header("/").unwrap()),
            (Some("2"), HeaderValue::from_static("c=2"))
        );
        jar.take(&answer(&["c=; Path=/; Max-Age=0"]));
        assert_eq!(jar.header("/"), None);
    }
}
