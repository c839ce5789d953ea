// What has to be known before the first paint: the theme and the language that were chosen here before. Without a choice
// the theme is the system's (styles/base.css) and the language the browser's (lib/text.mjs).
(() => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem("trestle.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    const language = localStorage.getItem("trestle.language");
    root.lang = language ?? (navigator.languages.find((tag) => /^(en|ko)\b/i.test(tag)) ?? "en").slice(0, 2).toLowerCase();
  } catch {
    // Storage is switched off: nothing was chosen.
  }
  // What comes with the first modules instead of after them: the dictionary, and on the home page, where most people come
  // in, its sheet and its view with all that it imports.
  const early = /^(en|ko)$/.test(root.lang) ? [`texts/${root.lang}.mjs`] : [];
  if (location.pathname === "/") {
    early.push("styles/catalogue.css", "views/home.mjs", "parts/product-card.mjs", "parts/stars.mjs", "parts/picture.mjs");
    early.push("parts/drawings.mjs", "parts/palette.mjs", "parts/catalogue/categories.mjs", "parts/catalogue/currency.mjs");
    early.push("parts/catalogue/names.mjs");
  }
  for (const path of early) {
    const href = new URL(path, document.currentScript.src).href;
    const kind = path.endsWith(".css") ? { rel: "preload", as: "style" } : { rel: "modulepreload" };
    document.head.append(Object.assign(document.createElement("link"), kind, { href }));
  }
})();
