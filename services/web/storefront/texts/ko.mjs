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
    sold_out: "품절",
    no_ratings: "아직 평가가 없습니다",
    stars: (average) => `별점 5점 만점에 ${average}점`,
    ratings: (count) => `평가 ${count.toLocaleString("ko")}개`,
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
    title: "작동 중인 시스템",
    about: "점 하나가 이 페이지에서 보낸 조회 요청 하나입니다. 요청은 여유 있는 서버로 가고, 응답이 어느 저장소에서 나왔는지 보여 줍니다. 서버를 늘리거나, 빼거나, 강제로 종료해 보세요.",
    rate: "초당 조회 수",
    kind: "조회 대상",
    kinds: { mixed: "골고루", products: "인기 상품", lists: "목록", search: "검색", cold: "아직 아무도 찾지 않은 것" },
    pause: "일시 정지",
    browser: "이 브라우저",
    tier_edge: "웹 계층",
    tier_api: "API 계층",
    tier_data: "데이터 계층",
    a_second: (count) => `초당 ${count}건`,
    in_flight: (count) => `${count}건 진행 중`,
    answers: (count) => `응답 ${count}건`,
    failures: (count) => `실패 ${count}건`,
    stale_now: (count) => `이전 사본 ${count}건`,
    per_second: "건/초",
    memory: "메모리",
    up: (time) => `가동 ${time}`,
    silent_for: (seconds) => `${seconds}초째 응답 없음`,
    answers_now: "응답 중",
    units: { d: (count) => `${count}일`, h: (count) => `${count}시간`, min: (count) => `${count}분`, s: (count) => `${count}초` },
    breakers: { closed: "Redis 사용 중", open: "Redis 잠시 중단", off: "Redis 미사용" },
    sources: "응답의 출처",
    sources_about: "최근 10초 동안, 그리고 이 페이지를 연 뒤 전체입니다.",
    layers: { memory: "서버 메모리", redis: "Redis", database: "MySQL", stale: "이전 사본" },
    in_all: (count) => `전체 ${count}건`,
    events: "일어난 일",
    no_events: "아직 없습니다.",
    happened: { new: "서버가 나타났습니다", back: "서버가 돌아왔습니다", restarted: "서버가 새로 시작되었습니다", silent: "서버가 응답하지 않습니다" },
    errors: "실패한 요청",
    no_failures: "아직 없습니다.",
    no_answer: "응답 없음",
    table: "숫자로 보는 서버",
    table_about: "초당 조회 수와 p50, p99는 이 페이지가 최근 10초 동안 잰 값입니다. 캐시 수치는 서버가 시작된 뒤 모든 요청을 합친 값입니다.",
    columns: {
      name: "서버",
      state: "상태",
      host: "실행 위치",
      zone: "영역",
      version: "버전",
      uptime: "가동 시간",
      per_second: "건/초",
      p50: "p50 ms",
      p99: "p99 ms",
      memory: "메모리",
      breaker: "Redis",
      from_memory: "메모리에서",
      from_redis: "Redis에서",
      from_database: "MySQL에서",
      stale: "이전 사본",
    },
  },
};
