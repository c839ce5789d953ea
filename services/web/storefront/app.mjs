// The storefront's start: texts, what surrounds every page, the first page.

import { ahead, start } from "./lib/router.mjs";
import { loadTexts } from "./lib/text.mjs";
import { showFooter } from "./parts/footer.mjs";
import { showHeader } from "./parts/header.mjs";
import { watchSession } from "./parts/session-watch.mjs";

ahead();
await loadTexts();
showHeader();
showFooter();
watchSession();
await start();
