import type { ComponentChildren } from "preact";
import { useApp } from "../app-context";
import { PATHS, type PageName } from "../routes";
import type { ButtonKind } from "./action";

export interface LinkProps {
  readonly to: PageName;
  readonly class?: string;
  readonly current?: boolean;
  readonly label?: string;
  readonly onFollow?: () => void;
  readonly children: ComponentChildren;
}

/** A real link: it can be copied and opened in another tab; in this tab nothing is loaded. */
export function Link({ to, class: name, current, label, onFollow, children }: LinkProps) {
  const { navigation } = useApp();
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    onFollow?.();
    navigation.go(PATHS[to]);
  };
  return (
    <a href={PATHS[to]} class={name} aria-current={current ? "page" : undefined} aria-label={label} onClick={follow}>
      {children}
    </a>
  );
}

export interface ButtonLinkProps extends Omit<LinkProps, "class" | "current"> {
  readonly kind: ButtonKind;
}

/** A link that looks like a button. */
export function ButtonLink({ kind, children, ...link }: ButtonLinkProps) {
  return (
    <Link {...link} class={`button button-${kind}`}>
      <span class="button-text">{children}</span>
    </Link>
  );
}
