/** Every page and its path. The service answers for exactly these paths. */
export const PATHS = {
  start: "/",
  signIn: "/sign-in",
  register: "/register",
  verify: "/verify",
  forgotPassword: "/forgot-password",
  reset: "/reset",
  confirmEmail: "/confirm-email",
  account: "/account",
  password: "/account/password",
  email: "/account/email",
  sessions: "/account/sessions",
  security: "/account/security",
  delete: "/account/delete",
  mailbox: "/dev/mailbox",
} as const;

export type PageName = keyof typeof PATHS;
export type Path = (typeof PATHS)[PageName];

const PAGES = new Map<string, PageName>(Object.entries(PATHS).map(([page, path]) => [path, page as PageName]));

/** The page at a path; `undefined` when there is none. */
export function pageAt(path: string): PageName | undefined {
  return PAGES.get(path);
}

/** Whether a page is useful only to a signed-in person. */
export function needsSession(page: PageName | undefined): boolean {
  return page !== undefined && (PATHS[page] === "/account" || PATHS[page].startsWith("/account/"));
}

/** The pages that mailed links lead to. */
export function takesToken(page: PageName | undefined): boolean {
  return page === "verify" || page === "reset" || page === "confirmEmail";
}
