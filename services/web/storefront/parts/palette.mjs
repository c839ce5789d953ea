// The colours of a drawing: --a is the thing itself, from the material or colour that its title names, --b and --c are its
// trim; the same product always has the same. Lines and backdrop follow the page's theme by light-dark().

const INK = "light-dark(#37322b, #16150f)";

/** What lies behind: quiet in both themes, and in the dark one still light enough for dark things and their lines. */
const BACKDROPS = [
  "light-dark(#ece5d6, #5c574c)",
  "light-dark(#e2e6da, #515a4f)",
  "light-dark(#e9dfd8, #5d524b)",
  "light-dark(#dde4e4, #4c5759)",
  "light-dark(#efe6cf, #5e573f)",
  "light-dark(#e4e1e3, #55525a)",
];

const SHADES = {
  oak: "#cfa26c #c2935c #d9b382", walnut: "#7d5638 #8a6042 #6f4a30", ash: "#ddc39a #d3b78b #e3cda9", birch: "#e4cda2 #dcc394 #ead7b3",
  beech: "#d9b184 #cfa374 #e0bd95", bamboo: "#d6b56e #c9a862 #dfc487", rattan: "#c79a5b #d1a970 #b98b4d", cedar: "#b97a4f #a96a42 #c58a60",
  wooden: "#d0a066 #c28f55 #dab27e", cork: "#c49a68 #b98c5a #d0aa7c", wicker: "#c99f63 #b98d52 #d5b27c", natural: "#d9c9a8 #c9b48c #b9c0a0",
  stoneware: "#b9a893 #8fa3a0 #d8cdbb #7d8a7c #a98b74", ceramic: "#e8dfd0 #9fb5b3 #d2a68d #6f8a94 #e3c98e", terracotta: "#c4704a #b8633f #d08763",
  marble: "#e6e2dc #d6d3ce #cfd6d2", glass: "#bcd3cf #c9dbe0 #d9c9a0", enamel: "#f1ece0 #3f6a8a #b8443a #e0b64a #6f9a86", brass: "#cda24c #c1953f #d8b263",
  copper: "#bd6f47 #c67c55 #ad6240", steel: "#b4bbbb #a5adae #c4c9c8", galvanised: "#aab3b3 #bcc3c2 #9aa5a6", aluminium: "#c3c8c8 #b2bcc2 #d0c7b6",
  alloy: "#b9c0c3 #8d979c #c9c2b4", "cast iron": "#4b4f50 #54504c #3f4a4f #7a3a30 #46604f", rubber: "#4a4d4f #5b6a6e #7d4a42",
  leather: "#9a5f38 #7a4a30 #b67a4a #4a3a33 #8a3f32", suede: "#b08a64 #8f7a66 #6f7f86 #a3674a", nubuck: "#c49a6c #8c7b62 #7a5c48",
  denim: "#4a6586 #3a4f70 #6d88a6 #2f3d55", canvas: "#d8c8a4 #7f8a66 #4f6274 #c08a4a #e3d9c2", "waxed cotton": "#6a6a48 #4a5038 #7a5f3f #3c4750",
  ripstop: "#c9682f #5f7f5a #3f7285 #d6a63a", "recycled nylon": "#3f6f73 #d08a3a #55606a #a3493a #6f8a5a", mesh: "#8aa0a6 #c9c4b8 #d07a4a #5a6a72",
  linen: "#e2d6bd #c8cdb8 #b7c4c9 #d9b8a0 #f0e9da", cotton: "#efe8da #a9bcc4 #d7a99a #8fa08a #e3c687", flannel: "#8f4a42 #55705f #4d5f7a #b08450 #77706a",
  oxford: "#b6cadb #eef0ee #e3c3bd #d8d3a6", chambray: "#8aa5c0 #7390ad #a9bccb", seersucker: "#a9c2d4 #dcb8ae #b7c9ae", twill: "#b89a6c #6f7355 #4b5260 #8a5d46",
  "stretch cotton": "#5b6470 #a58f6d #3f4a44 #c2b193", corduroy: "#a5673b #6b6f47 #7c4a52 #c29a52 #54626f", percale: "#f1eee6 #cfdae0 #dfd3c3", sateen: "#d9c3bd #c3cfd0 #e7dcc6 #8f9fa8",
  waffle: "#e9dfcc #b9c4b6 #d4b29c", fleece: "#d6c9b3 #8fa7a5 #c98d74", felt: "#8d9390 #b2533e #6f8a6c #d3a54c #5c6f86", merino: "#7a8c7d #b45a3c #37516b #d9c9a9 #8d5a68",
  lambswool: "#c9b48f #6a7f8c #a8614a #5f6b52 #dfd3bd", cashmere: "#d3c3b2 #b79a88 #8f9298 #e5d8c4 #6c5a5f", alpaca: "#b49a7c #e3d7c3 #7d6a5a #8c9a95",
  down: "#3f5a6b #c98a2f #5c6a4a #8f3f37 #2f3a46", softshell: "#46606a #2f3f4a #9a4a3a #667a5a", reflective: "#c9d24a #b9c2c4 #e08a3a", waterproof: "#d9b23a #2f5a6b #b2483a",
  paper: "#f0e8d6 #e9dcc0 #f3efe4", kraft: "#c49a6a #b98d5c #d0aa7e", rope: "#cdb586 #b99f70 #d8c59c", recycled: "#a9b39c #b8a888 #9aa9ae", dotted: "#e9e0cc #8fa3b0 #c98f7a",
  clothbound: "#7a3f3a #3f5a52 #34506e #b8893f #6a5a6e", wireless: "#e6e0d4 #3f4548 #8fa39a #c9805a", portable: "#c96f4a #5f7f85 #e0c27a #44494c", compact: "#d9d3c6 #55705f #b9564a #4a4f57",
  solar: "#dba63e #5f6f52 #3f4a52", "usb c": "#e9e6de #3d4245 #9fb0b5",
  organic: "#7f9a68 #c98a4a #5f7f7a #d9b566", wild: "#8a9a55 #b5603f #6a5a78", smoked: "#6a5a50 #8a4f3a #4f5a5c", "stone ground": "#b89a6a #a98a78 #8f8f72", "cold pressed": "#a8a84a #6f8a4a #c9a84a",
  "single origin": "#b5613f #3f6a66 #c9983f #5a4a6a", "dark roast": "#54403a #3f3a3a #7a4a38", "first flush": "#8fb07a #c9c27a #6f9a86",
  rosemary: "#7d9a86 #5f7f6a #a9bba0", oat: "#e3d3b0 #d3bd93 #ece0c6", lavender: "#a699c2 #8f82ad #c3b9d6", charcoal: "#4d5052 #5f6264 #3f4244", "green tea": "#a3b87a #86a066 #c0cc9a",
};

/** What any product may be where its title names no material that has a colour. */
const PLAIN = "#b5613f #4f7a6a #3f5f80 #d0a144 #8a5a6c #7f8a5a #c98f6a #5f7f8a".split(" ");
const TRIMS = "#c4583a #2f6a5c #e0b354 #34587a #f0e6d2 #8a4a56 #6f8a5a #d98f5a".split(" ");

/** How a material's shade differs from piece to piece. */
const TONES = [["#ffffff", 0], ["#fff6e0", 0.14], ["#2a2018", 0.12]];

/** What a category is made of where it stands for itself: a bear is brown there. Without a word here it is PLAIN. */
const TYPICAL = {
  kitchen: "enamel", outdoor: "ripstop", shirts: "chambray", knitwear: "merino", jackets: "denim", trousers: "denim", shoes: "leather", bags: "leather",
  furniture: "oak", lighting: "brass", bedding: "linen", bath: "waffle", garden: "galvanised", toys: "beech", games: "oak", electronics: "portable",
  cycling: "recycled nylon", fitness: "cast iron", "coffee-and-tea": "first flush", beauty: "lavender", pets: "felt",
};

/** The colours that variants and imported titles have. */
const COLOURS = {
  black: "#3a3b3c", sand: "#d8c39a", navy: "#2f4263", "forest green": "#355a44", rust: "#b2552f", cream: "#f1e7d0", slate: "#6a767e", mustard: "#d3a032",
  plum: "#75405f", "sky blue": "#8fb9d6", white: "#f4f1e9", grey: "#9a9d9b", gray: "#9a9d9b", red: "#b8392f", blue: "#3f6796", green: "#4f7f57", yellow: "#e2bb45",
  orange: "#d97f35", pink: "#e0a3a6", purple: "#7a5a8f", brown: "#80573c", beige: "#dccbaa",
};

const shades = new Map(Object.entries(SHADES).map(([name, list]) => [name, list.split(" ")]));
const colours = new Map(Object.entries(COLOURS));

/**
 * What the text names last before its noun, which ends it: a "Compact Copper Plant Pot" is copper, a "Rubber Skipping
 * Rope" is no rope. "Waxed Cotton" is more than "Cotton".
 */
function named(list, text) {
  const words = ` ${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `;
  let best = { place: 0, length: 0, value: undefined };
  for (const [name, value] of list) {
    const at = words.lastIndexOf(` ${name} `);
    if (at < 0) continue;
    const end = at + name.length + 2;
    const place = end === words.length ? 1 : end;
    if (place > best.place || (place === best.place && name.length > best.length)) best = { place, length: name.length, value };
  }
  return best.value;
}

/** A number that neighbours in a list do not share: FNV-1a. */
function hash(text) {
  let sum = 0x811c9dc5;
  for (let place = 0; place < text.length; place += 1) sum = Math.imul(sum ^ text.charCodeAt(place), 0x01000193);
  return (sum ^ (sum >>> 15)) >>> 0;
}

/** `part` of the way from one colour to another. */
function blend(from, to, part) {
  const [one, other] = [channels(from), channels(to)];
  return `#${one.map((value, at) => Math.round(value + (other[at] - value) * part).toString(16).padStart(2, "0")).join("")}`;
}

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

/** The properties of a drawing's style. */
export function coloursOf({ title, category, id, colour }) {
  // The same wherever it is shown: a line of an order knows no category.
  const seed = hash(id ? `${id}` : category);
  const range = named(shades, title) ?? (id ? undefined : shades.get(TYPICAL[category])) ?? PLAIN;
  const chosen = named(colours, colour ?? "") ?? named(colours, title);
  // No two boards are quite alike: a shade lighter or darker.
  const a = chosen ?? blend(range[seed % range.length], ...TONES[(seed >>> 16) % TONES.length]);
  const trims = TRIMS.filter((trim) => distance(trim, a) > 90);
  const b = trims[(seed >>> 4) % trims.length];
  const rest = trims.filter((trim) => trim !== b);
  return {
    color: INK,
    background: BACKDROPS[(seed >>> 8) % BACKDROPS.length],
    "--a": a,
    "--b": b,
    "--c": rest[(seed >>> 12) % rest.length],
  };
}

/** How far two colours are from each other: a trim must be seen on what it trims. */
function distance(one, other) {
  const [from, to] = [channels(one), channels(other)];
  return Math.hypot(...from.map((value, at) => value - to[at]));
}
