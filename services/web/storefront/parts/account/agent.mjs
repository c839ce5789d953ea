// What a browser calls itself, made readable: its name and the system it runs on.

// The more special first: Edge calls itself Chrome too, and everybody calls themselves Safari.
const BROWSERS = [
  [/KAKAOTALK/i, "KakaoTalk"],
  [/Whale\//, "Whale"],
  [/SamsungBrowser\//, "Samsung Internet"],
  [/Edg(e|A|iOS)?\//, "Edge"],
  [/OPR\/|Opera/, "Opera"],
  [/Firefox\/|FxiOS\//, "Firefox"],
  [/HeadlessChrome\/|Chrome\/|CriOS\//, "Chrome"],
  [/Version\/.*Safari\//, "Safari"],
];

const SYSTEMS = [
  [/Android/, "Android"],
  [/iPhone|iPod/, "iPhone"],
  [/iPad/, "iPad"],
  [/Windows/, "Windows"],
  [/CrOS/, "ChromeOS"],
  [/Macintosh|Mac OS X/, "macOS"],
  [/Linux|X11/, "Linux"],
];

/**
 * @param {string} agent the User-Agent, possibly empty
 * @returns {{browser: string|undefined, system: string|undefined}}
 */
export function readAgent(agent) {
  const find = (list) => list.find(([pattern]) => pattern.test(agent))?.[1];
  // A program says its own name first: curl/8.14.1.
  const program = /^Mozilla\//.test(agent) ? undefined : /^[\w.-]{1,40}/.exec(agent)?.[0];
  return { browser: find(BROWSERS) ?? program, system: find(SYSTEMS) };
}
