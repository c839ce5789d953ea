// 상점이 한국어로 하는 말 전부. 값이 있는 문구는 함수이며, en.mjs와 이름이 같다.

export const texts = {
  // --- What surrounds every page: parts/header.mjs, parts/footer.mjs -----------------------------------------------
  shop: {
    description: "Trestle: 세 계층 위에 선, 하중을 견디는 상점",
    tagline: "하중을 견디는 상점. 무엇이 무너져도 주문은 남습니다.",
    skip: "본문으로 건너뛰기",
    navigation: "상점",
    more: "더 보기",
    search: "검색",
    search_placeholder: "상점에서 검색",
    cart: "장바구니",
    pieces: (count) => `장바구니에 ${count.toLocaleString("ko")}개`,
    log_in: "로그인",
    account: "내 계정",
    orders: "내 주문",
    backoffice: "관리",
    system: "작동 중인 시스템",
    language: "언어",
    theme: "화면 모드",
    theme_system: "자동",
    theme_light: "밝게",
    theme_dark: "어둡게",
    served: (replica, source, ms) => `${replica}이(가) ${source}에서 ${ms}ms 만에 응답했습니다.`,
    not_served: "nginx가 응답했습니다.",
  },

  // --- Where an answer came from: parts/source.mjs -----------------------------------------------------------------
  source: {
    memory: "메모리",
    redis: "Redis",
    database: "MySQL",
    stale: "이전 사본(MySQL 응답 없음)",
    direct: "MySQL(캐시 없음)",
  },

  // --- What a page shows instead of itself: parts/states.mjs -------------------------------------------------------
  states: {
    loading: "불러오는 중…",
    home: "상점으로",
    again: "다시 시도",
    log_in: "로그인",
    not_found: "여기에는 아무것도 없습니다",
    not_found_detail: "페이지가 옮겨졌거나 내려갔거나, 처음부터 없었습니다.",
    signed_out: "로그인해 주세요",
    signed_out_detail: "본인만 볼 수 있는 페이지입니다. 로그인하면 이곳으로 돌아옵니다.",
    ended: "로그인이 만료되었습니다. 다시 로그인해 주세요.",
    forbidden: "볼 수 없는 페이지입니다",
    forbidden_detail: "상점 직원만 열 수 있습니다.",
    offline: "인터넷에 연결되어 있지 않습니다",
    offline_detail: "연결을 확인한 뒤 다시 시도해 주세요.",
    away: "지금은 상점에 연결할 수 없습니다",
    away_detail: "잃어버린 것은 없습니다. 보통 몇 초 안에 돌아옵니다.",
    busy: "지금 상점이 매우 붐빕니다",
    busy_detail: "잠시 후 다시 시도해 주세요.",
    failed: "처리하지 못했습니다",
    failed_detail: (id) => (id ? `상점 기록의 요청 번호: ${id}` : "페이지를 다시 열어 주세요."),
  },

  // --- Forms: parts/form.mjs ---------------------------------------------------------------------------------------
  forms: {
    optional: "선택",
    missing: "입력해 주세요.",
    save: "저장",
    cancel: "취소",
  },

  // --- Addresses: parts/address.mjs --------------------------------------------------------------------------------
  address: {
    name: "받는 사람",
    line1: "도로명 주소",
    line2: "상세 주소",
    postal_code: "우편번호",
    city: "시/군/구",
    region: "시/도",
    country: "국가",
    phone: "전화번호",
  },

  // --- Lists, search and products: views/home, category, search, product -------------------------------------------
  catalogue: {
    front: "상점",
    trail: "현재 위치",
    sold_out: "품절",
    no_ratings: "아직 평가가 없습니다",
    stars: (average) => `별점 5점 만점에 ${average}점`,
    ratings: (count) => `평가 ${count.toLocaleString("ko")}개`,

    // The front page.
    hero: "오래 버티는 물건들.",
    lead: "매일 쓰는 도구와 직물, 가구를 오래가는 것으로만 골랐습니다. 고쳐 쓸 수 있고, 값은 정직합니다.",
    all: "전체 상품",
    new: "새로 들어온 상품",
    best: "많이 찾는 상품",
    categories_title: "카테고리",
    see_all: "모두 보기",
    empty_shop: "아직 진열된 상품이 없습니다",
    empty_shop_detail: "첫 상품이 곧 들어옵니다.",

    // Lists.
    category_description: (name) => `Trestle ${name}: 오래 버티는 물건들.`,
    results_for: (q) => `‘${q}’ 검색 결과`,
    filters: "필터",
    filters_set: (count) => `${count}개 적용`,
    clear: "필터 초기화",
    category: "카테고리",
    any_category: "전체 카테고리",
    price: (currency) => `가격(${currency})`,
    min: "최저",
    max: "최고",
    rating: "평점",
    any_rating: "전체",
    rating_from: (stars) => `${stars}점 이상`,
    only_in_stock: "품절 상품 제외",
    sort: "정렬",
    sort_newest: "최신순",
    sort_price_asc: "낮은 가격순",
    sort_price_desc: "높은 가격순",
    by_relevance: "관련도순",
    shown: (count) => `상품 ${count.toLocaleString("ko")}개 표시 중, 더 있습니다`,
    shown_all: (count) => `상품 ${count.toLocaleString("ko")}개`,
    none: "상품 없음",
    more: "더 보기",
    list_anew: "목록이 바뀌어 처음부터 다시 보여 드립니다.",
    nothing: "맞는 상품이 없습니다",
    nothing_filtered: "모든 조건에 맞는 상품이 없습니다. 필터를 줄여 보세요.",
    nothing_found: "검색어를 줄이거나 바꿔 보세요. 철자도 확인해 주세요.",
    nothing_here: "지금은 이곳에 상품이 없습니다.",
    look_here: "이런 카테고리는 어떠세요?",

    // A product.
    picture_of: (index, count) => `사진 ${count}장 중 ${index}번째`,
    variant: "옵션",
    other_combination: "다른 조합으로만 선택 가능",
    variant_sold_out: "선택하신 옵션은 품절입니다. 다른 옵션을 골라 주세요.",
    all_sold_out: "품절되었습니다. 죄송합니다.",
    in_stock: "구매 가능",
    left: (count) => `${count}개 남음`,
    quantity: "수량",
    one_less: "하나 빼기",
    one_more: "하나 더하기",
    add: "장바구니에 담기",
    added: (count) => `장바구니에 ${count.toLocaleString("ko")}개를 담았습니다.`,
    added_more: (count, now) => `${count}개를 더 담았습니다. 장바구니에 모두 ${now}개 있습니다.`,
    added_some: (count, now) => `${count}개만 더 담을 수 있었습니다. 장바구니에 모두 ${now}개 있습니다.`,
    no_more: (present) => `이미 장바구니에 ${present}개가 있어 더 담을 수 없습니다.`,
    no_longer: "그사이 다른 분이 구매해 재고가 부족합니다. 현재 상태로 다시 보여 드립니다.",
    withdrawn: "더 이상 판매하지 않는 상품입니다.",
    cart_full: "장바구니에는 50가지까지 담을 수 있습니다. 일부를 빼거나 먼저 주문해 주세요.",
    to_cart: "장바구니로 가기",
    description: "상품 설명",
    related: "함께 보면 좋은 상품",

    // Reviews.
    reviews: "상품평",
    no_reviews: "아직 상품평이 없습니다.",
    more_reviews: "상품평 더 보기",
    write_review: "상품평 쓰기",
    change_review: "상품평 수정",
    your_rating: "별점",
    review_text: "사용해 보니 어떠셨나요?",
    send_review: "상품평 등록",
    changed_later: "수정됨",
    review_thanks: "상품평이 등록되었습니다. 감사합니다.",
    review_changed: "상품평이 수정되었습니다.",
    review_deleted: "상품평이 삭제되었습니다.",
    delete_review: "삭제",
    delete_review_sure: "상품평을 삭제할까요? 되돌릴 수 없습니다.",
    keep_review: "그대로 두기",
    already_reviewed: "이미 상품평을 남기셨습니다. 작성하신 내용을 수정하거나 삭제할 수 있어요.",
    not_bought: "구매하신 분만 상품평을 쓸 수 있습니다. 작성하신 내용은 이 창을 닫을 때까지 남아 있어요.",
    log_in_to_review: "로그인하면 구매하신 상품의 상품평을 쓸 수 있어요.",

    // Names in the catalogue that a translation is known for; others are shown as they are.
    categories: {
      bags: "가방",
      bath: "욕실",
      beauty: "뷰티",
      bedding: "침구",
      books: "도서",
      "coffee-and-tea": "커피와 차",
      cycling: "자전거",
      electronics: "전자제품",
      fitness: "피트니스",
      furniture: "가구",
      games: "게임",
      garden: "정원",
      jackets: "재킷",
      kitchen: "주방",
      knitwear: "니트",
      lighting: "조명",
      outdoor: "아웃도어",
      pantry: "식료품",
      pets: "반려동물",
      shirts: "셔츠",
      shoes: "신발",
      stationery: "문구",
      toys: "장난감",
      trousers: "바지",
    },
    options: { size: "사이즈", colour: "색상", material: "소재" },
  },

  // --- Cart, checkout and orders: views/cart, checkout, orders, order ----------------------------------------------
  checkout: {
  },

  // --- Login, registration and account: views/login, register, account ---------------------------------------------
  account: {
  },

  // --- The backoffice: views/admin ---------------------------------------------------------------------------------
  admin: {
  },

  // --- The system page: views/system -------------------------------------------------------------------------------
  system: {
  },
};
