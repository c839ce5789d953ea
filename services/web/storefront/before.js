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
  // Its dictionary comes with the modules instead of after them.
  if (/^(en|ko)$/.test(root.lang)) {
    const href = new URL(`texts/${root.lang}.mjs`, document.currentScript.src).href;
    document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
  }
})();
