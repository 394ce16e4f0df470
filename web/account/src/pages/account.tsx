import type { Account } from "@countersign/client";
import type { ComponentChildren } from "preact";
import { useApp } from "../app-context";
import { dateOf } from "../format";
import { AccountFrame, WithAccount } from "../ui/frame";
import { ButtonLink } from "../ui/link";
import { Profile } from "../ui/profile";
import { ProtectedAction } from "../ui/step-up";

export function AccountPage() {
  const { texts } = useApp();
  return (
    <AccountFrame title={texts.account.title}>
      <WithAccount>{(account) => <Overview account={account} />}</WithAccount>
    </AccountFrame>
  );
}

function Overview({ account }: { readonly account: Account }) {
  const { texts, format } = useApp();
  const { account: own, labels } = texts;
  const { createTime, emailVerifyTime, passwordChangeTime } = account;
  return (
    <>
      {createTime && <p class="lead">{own.member(format.day(dateOf(createTime)))}</p>}
      <Profile account={account} />
      <section class="card">
        <h2>{own.signInTitle}</h2>
        <Row name={labels["email"] ?? ""} value={account.email} hint={emailVerifyTime && own.emailSince(format.day(dateOf(emailVerifyTime)))}>
          <ButtonLink to="email" kind="plain" label={own.changeEmail}>
            {own.change}
          </ButtonLink>
        </Row>
        <Row
          name={labels["password"] ?? ""}
          hint={passwordChangeTime ? own.passwordSince(format.day(dateOf(passwordChangeTime))) : own.passwordNever}
        >
          <ButtonLink to="password" kind="plain" label={own.changePassword}>
            {own.change}
          </ButtonLink>
        </Row>
        <Row name={own.devices} hint={own.devicesHint}>
          <ButtonLink to="sessions" kind="plain" label={own.manageDevices}>
            {own.manage}
          </ButtonLink>
        </Row>
      </section>
      <section class="card">
        <h2>{own.data}</h2>
        <Row name={own.export} hint={own.exportHint}>
          <Export />
        </Row>
        <Row name={own.delete} hint={own.deleteHint}>
          <ButtonLink to="delete" kind="danger-plain">
            {own.delete}
          </ButtonLink>
        </Row>
      </section>
    </>
  );
}

interface RowProps {
  readonly name: string;
  readonly value?: string;
  readonly hint?: string | undefined;
  readonly children: ComponentChildren;
}

/** A row of the account: its name, its value, and its action. */
function Row({ name, value, hint, children }: RowProps) {
  return (
    <div class="row">
      <div class="row-text">
        <h3>{name}</h3>
        {value && <p class="row-value">{value}</p>}
        {hint && <p class="hint">{hint}</p>}
      </div>
      {children}
    </div>
  );
}

function Export() {
  const { texts, countersign, announce } = useApp();
  const download = async () => {
    const { content, contentType } = await countersign.account.exportMe({});
    const address = URL.createObjectURL(new Blob([new Uint8Array(content)], { type: contentType }));
    const day = new Date().toISOString().slice(0, 10);
    Object.assign(document.createElement("a"), { href: address, download: texts.account.fileName(day) }).click();
    // The browser reads it after the click has been handled.
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
    announce(texts.account.exported);
  };
  return (
    <ProtectedAction act={download} label={texts.account.export}>
      {texts.account.download}
    </ProtectedAction>
  );
}
