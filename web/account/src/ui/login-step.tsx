import type { Challenge } from "@countersign/client";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { useApp } from "../app-context";
import { faultFor, faultOf, type Fault, type Told } from "../faults";

/** The reasons for which a login begins again with the password. */
const ENDING: ReadonlySet<Told> = new Set<Told>([
  "CHALLENGE_INVALID",
  "CREDENTIALS_INVALID",
  "TOKEN_MISSING",
  "COOKIES_NOT_KEPT",
  "COOKIES_NEED_HTTPS",
]);

/** How the steps after the password ended: by a fault, or by the person. */
export type Ended = Fault | "restarted";

export interface LoginStepProps {
  readonly challenge: Challenge;
  readonly end: (how: Ended) => void;
}

/** A step of a login after its password: what it is, who signs in, and the way back. It ends with its challenge. */
export function LoginStep({ challenge, end, lead, children }: LoginStepProps & { readonly lead: string; readonly children: ComponentChildren }) {
  const { texts, account, announce } = useApp();
  const { secondStep: own } = texts;
  const { expireTime } = challenge;
  useEffect(() => {
    announce(lead);
    if (expireTime === undefined) return;
    // Nobody has to type a code to learn that it is too late.
    const timer = setTimeout(() => end(faultFor("CHALLENGE_INVALID")), expireTime.getTime() - Date.now());
    return () => clearTimeout(timer);
  }, []);
  return (
    <>
      <p class="lead">{lead}</p>
      {account.identifier && <p class="row-value">{own.who(account.identifier)}</p>}
      {children}
      <p class="more">
        <button type="button" class="text-button" onClick={() => end("restarted")}>
          {own.again}
        </button>
      </p>
    </>
  );
}

/** Does something in a step. Resolves to `undefined` when the login has ended with it. */
export async function inLogin<T>(end: LoginStepProps["end"], act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    const fault = faultOf(error);
    if (!ENDING.has(fault.reason)) throw error;
    end(fault);
    return undefined;
  }
}
