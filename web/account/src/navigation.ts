import { straightened, tokenIn } from "./mail-link";
import { pageAt, takesToken, type PageName, type Path } from "./routes";

/** Where the person is. */
export interface Place {
  readonly path: string;
  /** `undefined` when no page has this path. */
  readonly page: PageName | undefined;
  /** The token of the mailed link that led here. Nowhere but in memory. */
  readonly token: string | undefined;
  /** Counts the places that were visited since the page was loaded. */
  readonly visit: number;
}

/** How to go somewhere. */
export interface Going {
  /** Without a way back to where one is. */
  readonly replace?: boolean;
  /** As a mailed link does, but past the address bar. */
  readonly token?: string;
  /** Only from here: an answer that comes late takes nobody away from where they went in the meantime. */
  readonly from?: Place;
}

/** What a window has, as far as navigation needs it. */
export interface Frame {
  readonly location: Pick<Location, "pathname" | "search" | "hash">;
  readonly history: Pick<History, "pushState" | "replaceState">;
  addEventListener(kind: "popstate" | "hashchange", listener: () => void): void;
}

/** Moves between pages without loading anything, and takes the token out of the address at once. */
export class Navigation {
  #place: Place;
  readonly #listeners = new Set<() => void>();

  constructor(private readonly frame: Frame) {
    this.#place = this.#arrive(0);
    const moved = () => {
      const { pathname, hash } = frame.location;
      // The same page with a token is a second mailed link, pasted into this tab. Without one it is the page as it stands.
      if (pathname !== this.#place.path || tokenIn(hash) !== undefined) this.#settle();
    };
    frame.addEventListener("popstate", moved);
    frame.addEventListener("hashchange", moved);
  }

  get place(): Place {
    return this.#place;
  }

  /** Goes to a page. */
  go(path: Path, { replace = false, token, from }: Going = {}): void {
    if (from !== undefined && from !== this.#place) return;
    const again = replace || path === this.#place.path;
    this.frame.history[again ? "replaceState" : "pushState"](null, "", path);
    this.#settle(token);
  }

  /** Calls `listener` whenever `place` is another one. One listener may go on to yet another place before the next is called. */
  onMove(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #settle(token?: string): void {
    this.#place = this.#arrive(this.#place.visit + 1, token);
    for (const listener of [...this.#listeners]) listener();
  }

  #arrive(visit: number, given?: string): Place {
    const { pathname, search, hash } = this.frame.location;
    const straight = straightened(pathname);
    const path = pageAt(pathname) === undefined && pageAt(straight) !== undefined ? straight : pathname;
    const page = pageAt(path);
    // Before anything else can read the address, and before the browser can remember it.
    if (hash !== "" || search !== "" || path !== pathname) this.frame.history.replaceState(null, "", path);
    const token = takesToken(page) ? (given ?? tokenIn(hash) ?? tokenIn(search) ?? tokenIn(pathname)) : undefined;
    return { path, page, token, visit };
  }
}
