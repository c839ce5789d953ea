// Which drawing a product has: by the noun in its title, else by its category, else a parcel. Each sheet is a file in
// pictures/, each of its words the id of a symbol: a noun of the shop's catalogue with dashes for spaces.

/** Sheet: category's handle: the symbols of its things, the first of which stands for the category. */
const SHEETS = {
  kitchen: {
    kitchen: "casserole kettle cutting-board frying-pan mixing-bowl chefs-knife pepper-mill salad-spinner colander tea-towel plates",
    "coffee-and-tea": "filter-coffee espresso-beans green-tea assam oolong earl-grey cold-brew",
    pantry: "olive-oil honey sea-salt porridge-oats chilli-sauce marmalade rye-crackers black-garlic",
  },
  clothes: {
    shirts: "shirt work-shirt overshirt polo blouse band-collar-shirt",
    knitwear: "jumper cardigan roll-neck vest beanie scarf",
    jackets: "jacket parka gilet raincoat bomber chore-coat",
    trousers: "jeans chinos shorts joggers dungarees culottes",
  },
  carry: {
    shoes: "sneakers chelsea-boots loafers trail-runners sandals slippers brogues",
    bags: "weekender tote messenger-bag wallet pencil-case belt-bag laptop-sleeve",
  },
  home: {
    furniture: "dining-chair side-table bookcase desk stool bed-frame sideboard coat-stand",
    lighting: "desk-lamp pendant floor-lamp wall-light night-light lantern",
  },
  linen: {
    bedding: "quilt duvet-cover pillowcase fitted-sheet blanket bedspread",
    bath: "towel bath-mat soap-dish robe laundry-basket shower-curtain",
    beauty: "face-oil hand-cream shampoo-bar lip-balm body-scrub bath-salts",
  },
  outdoor: {
    outdoor: "tent sleeping-bag backpack camp-stove hammock headlamp water-bottle trekking-pole folding-chair",
    garden: "watering-can plant-pot trowel secateurs bird-feeder seed-tray garden-fork",
    cycling: "helmet jersey gloves bib-shorts overshoes cap",
    fitness: "kettlebell yoga-mat skipping-rope foam-roller resistance-band gym-towel",
  },
  play: {
    toys: "teddy-bear building-blocks train-set puzzle kite marble-run spinning-top dolls-house",
    games: "chess-set card-game backgammon dominoes strategy-game dice-game go-board yut",
    pets: "pet-bed dog-lead collar scratching-post food-bowl carrier",
  },
  desk: {
    books: "short-stories field-guide cookbook atlas dictionary travel-journal history-of-tea bread-handbook chess-problems",
    stationery: "fountain-pen notebook desk-pad letter-set ruler pencil-set wall-calendar",
    electronics: "radio headphones speaker keyboard charger alarm-clock power-bank tv-stand",
  },
};

/** What the same things are called in Korean, and a few that the catalogue has only there. */
const KOREAN = {
  "cutting-board": "도마", "frying-pan": "프라이팬", kettle: "주전자", plates: "접시 세트",
  tent: "텐트", "sleeping-bag": "침낭", backpack: "등산 배낭", "folding-chair": "캠핑 의자",
  "travel-journal": "여행 에세이", cookbook: "요리책", "short-stories": "단편 소설집",
  shirt: "셔츠", blouse: "블라우스", overshirt: "남방",
  jumper: "스웨터", cardigan: "가디건", scarf: "목도리",
  jacket: "자켓", parka: "패딩", raincoat: "우비",
  jeans: "청바지", chinos: "면바지", shorts: "반바지",
  sneakers: "운동화", loafers: "로퍼", sandals: "샌들",
  "messenger-bag": "가방", wallet: "지갑", tote: "에코백",
  desk: "책상", bookcase: "책장", "dining-chair": "식탁 의자",
  pendant: "조명", "floor-lamp": "스탠드", "night-light": "무드등",
  "duvet-cover": "이불", pillowcase: "베개 커버", blanket: "담요",
  towel: "수건", "bath-mat": "욕실 매트", "soap-dish": "비누 받침",
  "plant-pot": "화분", "watering-can": "물뿌리개", trowel: "모종삽",
  "building-blocks": "블록", puzzle: "퍼즐", "teddy-bear": "곰인형",
  "go-board": "바둑판", "strategy-game": "보드게임", yut: "윷놀이",
  notebook: "공책", "fountain-pen": "만년필", "letter-set": "편지지",
  headphones: "이어폰", keyboard: "키보드", charger: "충전기", radio: "라디오",
  gloves: "자전거 장갑", helmet: "헬멧", jersey: "져지",
  "yoga-mat": "요가 매트", "skipping-rope": "줄넘기", kettlebell: "아령",
  "green-tea": "녹차", "espresso-beans": "원두커피", assam: "보리차",
  honey: "꿀", "olive-oil": "참기름", "chilli-sauce": "고추장", "sea-salt": "천일염",
  "hand-cream": "핸드크림", "shampoo-bar": "비누", "lip-balm": "립밤",
  "dog-lead": "강아지 목줄", "pet-bed": "고양이 방석", "food-bowl": "밥그릇",
};

const PARCEL = { sheet: "desk", symbol: "parcel" };

const ofCategory = new Map();
const named = [];
for (const [sheet, categories] of Object.entries(SHEETS)) {
  for (const [handle, words] of Object.entries(categories)) {
    for (const [place, symbol] of words.split(" ").entries()) {
      const drawing = { sheet, symbol };
      if (place === 0) ofCategory.set(handle, drawing);
      named.push({ noun: plain(symbol), drawing });
      if (KOREAN[symbol]) named.push({ noun: KOREAN[symbol], drawing });
    }
  }
}
/** A text as words between single spaces: "Chef's Knife" and "chefs-knife" are the same. */
function plain(text) {
  return text.toLowerCase().replace(/['’]/g, "").replace(/[^\p{L}\p{N}]+/gu, " ").trim();
}

/**
 * The sheet and the symbol for a title and a category's handle, either of which may be empty. A title names its thing
 * last: "Green Tea Lip Balm" is a lip balm. Of two that end together the longer is meant: "Work Shirt" is no "Shirt".
 */
export function drawingOf(title, category) {
  const words = ` ${plain(title)} `;
  let best = { end: 0, noun: "", drawing: ofCategory.get(category) ?? PARCEL };
  for (const { noun, drawing } of named) {
    const at = words.lastIndexOf(` ${noun} `);
    const end = at + noun.length;
    if (at >= 0 && (end > best.end || (end === best.end && noun.length > best.noun.length))) best = { end, noun, drawing };
  }
  return best.drawing;
}
