import { createCountersign, fieldsOf, reasonOf, retryAfter } from "../src/index.js";

// The least that a page of an application does, for `npm run size`.
const countersign = createCountersign({ baseUrl: "/" });
countersign.account.getMe({}).catch((error) => console.log(reasonOf(error), fieldsOf(error), retryAfter(error)));
