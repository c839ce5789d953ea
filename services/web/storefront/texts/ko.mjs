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
    invalid: "이대로는 사용할 수 없습니다.",
    at_least: (least) => `${least} 이상이어야 합니다.`,
    at_most: (most) => `${most} 이하여야 합니다.`,
    too_short: (least) => `${least}자 이상이어야 합니다.`,
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
    // views/login and register
    log_in: "로그인",
    register: "회원가입",
    back_after: "로그인하면 보시던 곳으로 바로 돌아갑니다.",
    register_detail: "계정 하나로 배송지와 주문을 관리하고, 장바구니를 어느 기기에서나 이어서 볼 수 있습니다.",
    email: "이메일",
    password: "비밀번호",
    name: "이름",
    show: "표시",
    hide: "숨김",
    show_password: "비밀번호 표시",
    hide_password: "비밀번호 숨김",
    password_rule: (least) => `문자 종류에 상관없이 ${least}자 이상 입력해 주세요. 서로 관련 없는 단어 몇 개를 이어 쓰면 좋습니다. 흔한 단어, 키보드 배열, 본인 이름은 쓸 수 없습니다.`,
    new_here: "처음이신가요?",
    new_here_detail: "이름과 이메일, 비밀번호만 있으면 가입할 수 있습니다. 장바구니에 담은 상품은 그대로 남습니다.",
    known_here: "이미 회원이신가요?",
    known_here_detail: "가입하신 이메일로 로그인해 주세요. 장바구니에 담은 상품은 그대로 남습니다.",
    log_in_instead: "로그인하기",
    capped: (count) => `두 장바구니를 합쳤지만 상품 ${count.toLocaleString("ko")}개는 수량을 모두 담지 못했습니다. 수량을 확인해 주세요.`,

    // What is refused, at a field or above the button
    problems: {
      wrong_login: "이메일 또는 비밀번호가 맞지 않습니다. 확인한 뒤 다시 시도해 주세요.",
      too_many_attempts: (seconds) => `여러 번 연속으로 시도하셨습니다. ${seconds.toLocaleString("ko")}초 뒤에 다시 시도해 주세요.`,
      email_taken: "이미 가입된 이메일입니다.",
      email: "name@example.com과 같은 이메일 주소를 입력해 주세요.",
      too_short: (least) => `${least}자 이상 입력해 주세요.`,
      too_long: (most) => `${most}자 이하로 입력해 주세요.`,
      empty: "입력해 주세요.",
      control: "사용할 수 없는 문자가 들어 있습니다. 다시 입력해 주세요.",
      guessable: "쉽게 추측할 수 있는 비밀번호입니다. 흔한 단어, 키보드 배열, 본인 이름이 아닌 것으로 정해 주세요.",
      wrong_current: "현재 비밀번호가 맞지 않습니다.",
      too_many_addresses: (most) => `배송지는 ${most}개까지 저장할 수 있습니다. 먼저 하나를 삭제해 주세요.`,
    },

    // views/account
    title: "내 계정",
    sections: "이 페이지의 내용",
    log_out: "로그아웃",
    logged_out: "로그아웃되었습니다. 또 만나요.",
    profile: "내 정보",
    profile_detail: "상점에서 부르는 이름과 로그인할 때 쓰는 이메일입니다.",
    since: (day) => `${day} 가입`,
    name_hint: "상품평에는 이름의 일부만 표시됩니다.",
    save_name: "이름 저장",
    name_saved: "이름을 저장했습니다.",
    addresses: "배송지",
    addresses_detail: "주문할 때 골라 쓸 수 있습니다. 이미 한 주문의 배송지는 바뀌지 않습니다.",
    no_addresses: "저장된 배송지가 없습니다. 주문할 때 입력하셔도 됩니다.",
    addresses_full: (most) => `배송지를 최대 ${most}개까지 모두 저장하셨습니다. 새로 추가하려면 하나를 삭제해 주세요.`,
    add_address: "배송지 추가",
    edit_address: "배송지 수정",
    edit: "수정",
    delete: "삭제",
    delete_address: "이 배송지를 삭제할까요?",
    keep: "그대로 두기",
    address_added: "배송지를 추가했습니다.",
    address_saved: "배송지를 저장했습니다.",
    address_deleted: "배송지를 삭제했습니다.",
    password_change: "비밀번호",
    password_change_detail: "비밀번호를 바꾸면 다른 모든 기기에서 로그아웃됩니다. 지금 이 기기의 로그인은 유지됩니다.",
    current_password: "현재 비밀번호",
    new_password: "새 비밀번호",
    save_password: "비밀번호 변경",
    password_saved: "비밀번호를 변경하고 다른 기기에서 모두 로그아웃했습니다.",
    sessions: "로그인된 기기",
    sessions_detail: "모르는 기기가 있다면 로그아웃하고 비밀번호를 바꿔 주세요.",
    this_browser: "현재 브라우저",
    browser_on: (browser, system) => `${browser} · ${system}`,
    unknown_browser: "알 수 없는 브라우저",
    logged_in_at: (time) => `${time} 로그인`,
    end_session: "로그아웃",
    end_others: "다른 기기에서 모두 로그아웃",
    more_sessions: "더 보기",
    session_ended: "그 기기에서 로그아웃했습니다.",
    others_ended: "다른 기기에서 모두 로그아웃했습니다.",
  },

  // --- The backoffice: views/admin ---------------------------------------------------------------------------------
  admin: {
  },

  // --- The system page: views/system -------------------------------------------------------------------------------
  system: {
  },
};
