// Every address of the shop: the pattern, the view's module and the style sheet that it needs beside base.css.
// nginx knows the first segments of these too (services/web/nginx/server.conf.template): what is not here is 404.

export const routes = [
  { path: "/", view: "home", style: "catalogue" },
  { path: "/categories/:handle", view: "category", style: "catalogue" },
  { path: "/search", view: "search", style: "catalogue" },
  { path: "/products/:id", view: "product", style: "catalogue" },

  { path: "/cart", view: "cart", style: "checkout" },
  { path: "/checkout", view: "checkout", style: "checkout" },
  { path: "/orders", view: "orders", style: "checkout" },
  { path: "/orders/:id", view: "order", style: "checkout" },

  { path: "/login", view: "login", style: "account" },
  { path: "/register", view: "register", style: "account" },
  { path: "/account", view: "account", style: "account" },

  { path: "/admin", view: "admin/overview", style: "admin" },
  { path: "/admin/products", view: "admin/products", style: "admin" },
  { path: "/admin/products/:id", view: "admin/product", style: "admin" },
  { path: "/admin/orders", view: "admin/orders", style: "admin" },
  { path: "/admin/orders/:id", view: "admin/order", style: "admin" },
  { path: "/admin/coupons", view: "admin/coupons", style: "admin" },
  { path: "/admin/customers", view: "admin/customers", style: "admin" },

  { path: "/system", view: "system", style: "system" },
];
