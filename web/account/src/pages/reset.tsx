import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Done } from "../ui/done";
import { Owner, PasswordField } from "../ui/field";
import { Form, Submit } from "../ui/form";
import { Sheet } from "../ui/frame";
import { Link } from "../ui/link";
import { Mailed } from "../ui/mailed";
import { optionalBeside, PROOF_FIELDS, ProofFields, useProof, type Proof } from "../ui/proof";
import { WayOn } from "../ui/way-on";

export function ResetPage() {
  const { texts, countersign, account, place } = useApp();
  const [way, setWay] = useState<"link" | "code" | "done">(place.token === undefined ? "code" : "link");
  const read = useProof();
  const { token } = place;
  const set = async (proof: Proof | undefined, newPassword: string) => {
    if (proof === undefined) return;
    await countersign.account.reset({ ...proof, newPassword });
    setWay("done");
  };
  if (way === "done") return <Done title={texts.reset.done} text={texts.reset.doneText} to="signIn" />;
  return (
    <Sheet title={texts.reset.title}>
      <Mailed otherwise={texts.reset.lead} />
      {way === "link" && token !== undefined ? (
        <>
          <Form fields={["new_password"]} send={({ new_password }) => set({ token }, new_password)}>
            <Owner address={account.address} />
            <PasswordField name="new_password" autocomplete="new-password" hint={texts.hints.newPassword} />
            <Submit>{texts.reset.action}</Submit>
          </Form>
          <button type="button" class="text-button" onClick={() => setWay("code")}>
            {texts.verify.insteadCode}
          </button>
        </>
      ) : (
        <Form fields={[...PROOF_FIELDS, "new_password"]} optional={optionalBeside} send={(values) => set(read(values), values.new_password)}>
          <ProofFields />
          <PasswordField name="new_password" autocomplete="new-password" hint={texts.hints.newPassword} />
          <Submit>{texts.reset.action}</Submit>
        </Form>
      )}
      <p class="more">
        <Link to="forgotPassword">{texts.reset.another}</Link>
      </p>
      <WayOn />
    </Sheet>
  );
}
