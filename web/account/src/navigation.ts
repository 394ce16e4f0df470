import { straightened, tokenIn } from "./mail-link";
import { pageAt, takesToken, type PageName, type Path } from "./routes";

/** The page that the person is on. */
export interface Place {
  readonly path: string;
  /** `undefined` when no page has this path. */
  readonly page: PageName | undefined;
  /** The token of the mailed link that led here. Only in memory. */
  readonly token: string | undefined;
  /** Counts the places visited since the page was loaded. */
  readonly visit: number;
}

/** How to go to a page. */
export interface Going {
  /** Replaces the current place, so that the back button does not lead to it. */
  readonly replace?: boolean;
  /** The token of a mailed link, which does not pass through the address bar. */
  readonly token?: string;
  /** Only from here: a late answer must not move a person who went elsewhere meanwhile. */
  readonly from?: Place;
}

/** What navigation needs from a window. */
export interface Frame {
  readonly location: Pick<Location, "pathname" | "search" | "hash">;
  readonly history: Pick<History, "pushState" | "replaceState">;
  addEventListener(kind: "popstate" | "hashchange", listener: () => void): void;
}

/** Moves between pages without loading anything, and removes the token from the address at once. */
export class Navigation {
  #place: Place;
  readonly #listeners = new Set<() => void>();

  constructor(private readonly frame: Frame) {
    this.#place = this.#arrive(0);
    const moved = () => {
      const { pathname, hash } = frame.location;
      // The same page with a token is a second mailed link, pasted into this tab. Without one, nothing has changed.
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

  /** Calls `listener` after every move. A listener may move again before the next listener is called. */
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
    // Before anything else can read the address, and before the browser stores it.
    if (hash !== "" || search !== "" || path !== pathname) this.frame.history.replaceState(null, "", path);
    const token = takesToken(page) ? (given ?? tokenIn(hash) ?? tokenIn(search) ?? tokenIn(pathname)) : undefined;
    return { path, page, token, visit };
  }
}
