import { createCountersign, fieldsOf, reasonOf, retryAfter } from "../src/index.js";

// The minimal page of an application, for `npm run size`.
const countersign = createCountersign({ baseUrl: "/" });
countersign.account.getMe({}).catch((error) => console.log(reasonOf(error), fieldsOf(error), retryAfter(error)));
