import { useApp } from "../app-context";
import { Sheet } from "../ui/frame";
import { ButtonLink } from "../ui/link";

export function NotFoundPage() {
  const { texts } = useApp();
  return (
    <Sheet title={texts.notFound.title}>
      <p class="lead">{texts.notFound.lead}</p>
      <ButtonLink to="start" kind="main">
        {texts.notFound.home}
      </ButtonLink>
    </Sheet>
  );
}
