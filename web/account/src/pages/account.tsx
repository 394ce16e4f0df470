import type { Account } from "@countersign/client";
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { download } from "../download";
import { dateOf } from "../format";
import { AccountFrame, WithAccount } from "../ui/frame";
import { ButtonLink } from "../ui/link";
import { SecondStepNudge } from "../ui/nudge";
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
  const hasFactor = useHasFactor();
  // A space of the same height, so that nothing moves when the answer arrives.
  const secondStep = hasFactor === undefined ? "\u00a0" : texts.security[hasFactor ? "isOn" : "isOff"];
  return (
    <>
      {createTime && <p class="lead">{own.member(format.day(dateOf(createTime)))}</p>}
      {hasFactor === false && <SecondStepNudge />}
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
        <Row name={texts.security.twoStep} hint={secondStep}>
          <ButtonLink to="security" kind="plain" label={own.manageSecondStep}>
            {own.manage}
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

/** Whether the account has a second factor; `undefined` while that is not known. */
function useHasFactor(): boolean | undefined {
  const { countersign } = useApp();
  const [has, setHas] = useState<boolean>();
  useEffect(() => {
    // The page is useful without the answer.
    countersign.factors.listFactors({}).then(({ factors }) => setHas(factors.length > 0), () => {});
  }, []);
  return has;
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
  const save = async () => {
    const { content, contentType } = await countersign.account.exportMe({});
    const day = new Date().toISOString().slice(0, 10);
    download(new Uint8Array(content), contentType, texts.account.fileName(day));
    announce(texts.account.exported);
  };
  return (
    <ProtectedAction act={save} label={texts.account.export}>
      {texts.account.download}
    </ProtectedAction>
  );
}
