import { reasonOf, type SessionInfo } from "@countersign/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { nameOf } from "../device";
import { dateOf } from "../format";
import { Action, useDoing } from "../ui/action";
import { AccountFrame, Loading } from "../ui/frame";
import { Note } from "../ui/note";
import { ProtectedAction } from "../ui/step-up";

const PAGE_SIZE = 20;

interface Listed {
  readonly sessions: readonly SessionInfo[];
  /** Empty when there are no more. */
  readonly next: string;
}

export function SessionsPage() {
  const { texts, countersign, announce } = useApp();
  const { sessions: own } = texts;
  const [listed, setListed] = useState<Listed>();
  const [result, setResult] = useState<string>();
  const heading = useRef<HTMLHeadingElement>(null);
  const load = useDoing(async () => {
    const answer = await countersign.sessions.listSessions({ pageSize: PAGE_SIZE, pageToken: listed?.next ?? "" });
    setListed((before) => ({ sessions: merged(before?.sessions ?? [], answer.sessions), next: answer.nextPageToken }));
  });
  useEffect(() => void load.run(), []);

  const done = (text: string, ended: (session: SessionInfo) => boolean) => {
    setListed((before) => before && { ...before, sessions: before.sessions.filter((session) => !ended(session)) });
    setResult(text);
    announce(text);
    // The pressed button no longer exists.
    heading.current?.focus();
  };
  const end = async (session: SessionInfo) => {
    const name = nameOf(session, texts);
    const gone = await countersign.sessions.revokeSession({ sessionId: session.sessionId }).then(() => false, isGone);
    done(gone ? own.gone(name) : own.signedOut(name), ({ sessionId }) => sessionId === session.sessionId);
  };
  const endOthers = async () => {
    const { revokedCount } = await countersign.sessions.revokeOtherSessions({});
    setListed((before) => before && { ...before, next: "" });
    done(revokedCount > 0 ? own.othersDone(revokedCount) : own.othersNone, ({ current }) => !current);
  };

  if (listed === undefined) {
    return (
      <AccountFrame title={own.title}>
        <Loading busy={load.busy} fault={load.fault} again={() => void load.run()} />
      </AccountFrame>
    );
  }
  const alone = listed.next === "" && listed.sessions.every(({ current }) => current);
  return (
    <AccountFrame title={own.title}>
      <p class="lead">{alone ? own.only : own.lead}</p>
      {!alone && (
        <ProtectedAction kind="danger-plain" act={endOthers}>
          {own.others}
        </ProtectedAction>
      )}
      {result && <Note tone="good">{result}</Note>}
      <section class="card">
        <h2 class="unseen" tabIndex={-1} ref={heading}>
          {own.list}
        </h2>
        <ul class="rows">
          {listed.sessions.map((session) => (
            <SessionRow key={session.sessionId} session={session} end={() => end(session)} />
          ))}
        </ul>
        {listed.next !== "" && <Action act={load.run}>{own.more}</Action>}
      </section>
    </AccountFrame>
  );
}

function SessionRow({ session, end }: { readonly session: SessionInfo; readonly end: () => Promise<void> }) {
  const { texts, format, countersign, presence } = useApp();
  const { sessions: own } = texts;
  const { createTime, refreshTime, address, current } = session;
  const name = nameOf(session, texts);
  const used = refreshTime && dateOf(refreshTime);
  const signOut = () => (current ? presence.leave("signedOut", () => countersign.logout()) : end());
  return (
    <li class="row">
      <div class="row-text">
        <h3>
          <bdi>{name}</bdi> {current && <span class="badge">{own.thisDevice}</span>}
        </h3>
        <p class="hint">
          {used && (
            <time dateTime={used.toISOString()} title={format.moment(used)}>
              {own.lastUsed(format.ago(used, new Date()))}
            </time>
          )}
          {createTime && <span>, {own.signedInOn(format.day(dateOf(createTime)))}</span>}
        </p>
        {address && <p class="hint">{own.place(address)}</p>}
      </div>
      <Action act={signOut} label={own.signOutDevice(name)}>
        {own.signOut}
      </Action>
    </li>
  );
}

/** Merges the lists of two answers. A session that was opened in between moves one from the first to the second. */
function merged(before: readonly SessionInfo[], more: readonly SessionInfo[]): SessionInfo[] {
  const known = new Set(before.map(({ sessionId }) => sessionId));
  return [...before, ...more.filter(({ sessionId }) => !known.has(sessionId))];
}

/** The session had already ended, which is as good. */
function isGone(error: unknown): true {
  if (reasonOf(error) === "SESSION_NOT_FOUND") return true;
  throw error;
}
