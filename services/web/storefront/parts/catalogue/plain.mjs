// A description, which the API has as HTML, as paragraphs and lists of plain text.

import { h } from "../../lib/dom.mjs";

const BLOCKS = "p, div, ul, ol, table, section, article, blockquote, h1, h2, h3, h4, h5, h6, pre, figure, dl";

/** Elements that show the text of `html`. */
export function plain(html) {
  // Parsed apart from the page: nothing in it is loaded, run or shown.
  const { body } = new DOMParser().parseFromString(html, "text/html");
  return blocks(body);
}

/** The text alone, cut at about `length`: for sharing. */
export function plainText(html, length = 160) {
  const text = plain(html).map((element) => element.textContent).join(" ").replace(/\s+/g, " ").trim();
  return text.length > length ? `${text.slice(0, text.lastIndexOf(" ", length) + 1 || length).trimEnd()}…` : text;
}

function blocks(parent) {
  const made = [];
  let words = "";
  const end = () => {
    for (const line of words.split("\n")) if (line.trim() !== "") made.push(h("p", {}, line.trim()));
    words = "";
  };
  for (const node of parent.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) words += node.data.replace(/\s+/g, " ");
    else if (node.nodeName === "BR") words += "\n";
    else if (node.nodeName === "UL" || node.nodeName === "OL") {
      end();
      made.push(h("ul", {}, Array.from(node.querySelectorAll("li"), (item) => h("li", {}, item.textContent.trim()))));
    } else if (node.nodeType === Node.ELEMENT_NODE && (node.matches(BLOCKS) || node.querySelector(BLOCKS))) {
      end();
      made.push(...blocks(node));
    } else if (node.nodeType === Node.ELEMENT_NODE && !node.matches("script, style, template")) words += node.textContent.replace(/\s+/g, " ");
  }
  end();
  return made;
}
