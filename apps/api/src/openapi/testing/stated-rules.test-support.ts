/**
 * What is refused although the schemas in the description allow it: JSON Schema cannot say it, or generators of clients
 * do not survive it. The words beside each rule must stand in the description of the field that is refused.
 */
export type StatedRule = {
  /** As `errors` of the answer say it. */
  path: RegExp;
  message: RegExp;
  /** In the description of the field. */
  words: RegExp;
};

const time = /^(?:valid_from|valid_to|expires_at|resumes_at|from|to|since|timestamp|observed_at|trial_end)$/;

export const statedRules = {
  trialWithPayment: {
    path: /^(?:trial_days|trial_end|trial_without_card|payment_method_collection)$/,
    message: /for the mode subscription only/,
    words: /With `mode: subscription` only/,
  },
  invoiceOfSubscription: {
    path: /^invoice_creation$/,
    message: /for the mode payment only/,
    words: /With `mode: payment` only/,
  },
  neitherPriceNorItems: {
    path: /^price_id$/,
    message: /send price_id or items/,
    words: /Exactly one of `price_id` and `items`/,
  },
  bothPriceAndItems: {
    path: /^items$/,
    message: /does not go with price_id/,
    words: /exactly one of `price_id` and `items`/,
  },
  quantityOfItems: { path: /^quantity$/, message: /does not go with items/, words: /Not with `items`/ },
  nothingLeft: {
    path: /^items$/,
    message: /must not be empty: cancel the subscription instead/,
    words: /`\[\]` only where there are some/,
  },
  priceTwice: { path: /^items\.\d+\.price_id$/, message: /is named twice/, words: /Each price once/ },
  twoTrials: { path: /^trial_end$/, message: /does not go with trial_days/, words: /not with `trial_days`/ },
  trialEndsTooSoon: {
    path: /^trial_end$/,
    message: /must be 48 hours to 730 days ahead/,
    words: /48 hours to 730 days ahead/,
  },
  addressOfOtherPage: {
    path: /^(?:success_url|cancel_url|return_url)$/,
    message: /ui_mode (?:hosted|embedded)/,
    words: /Required with `ui_mode: (?:hosted|embedded)`/,
  },
  quantityOutOfRange: {
    path: /^adjustable_quantity$/,
    message: /must hold the quantity/,
    words: /holds the quantities of the request/,
  },
  accessDaysOfRecurringPrice: {
    path: /^access_days$/,
    message: /for one_time prices only/,
    words: /With `interval: one_time` only/,
  },
  recurringFieldOfOneTimePrice: {
    path: /^(?:interval_count|usage_type)$/,
    message: /is for prices that are paid again and again/,
    words: /[Nn]ot with `interval: one_time`/,
  },
  termsThatStripeLacks: {
    path: /^(?:amount|currency|interval)$/,
    message: /is required, as Stripe has no such price/,
    words: /required where Stripe has no such price/,
  },
  oneObject: {
    path: /^subscription_id$/,
    message: /give exactly one of/,
    words: /Exactly one of `subscription_id`/,
  },
  redirectElsewhere: {
    path: /^(?:success_url|cancel_url|return_url)$/,
    message: /one of the project's redirect_origins/,
    words: /one of the project's `redirect_origins`/,
  },
  hostThatIsNone: {
    path: /^(?:success_url|cancel_url|return_url|redirect_origins\.\d+)$/,
    message: /must be an (?:absolute https URL|origin such as)/,
    words: /host name is valid \(IDNA\)/,
  },
  reservedMetadata: {
    path: /^metadata$/,
    message: /must not use the reserved keys/,
    words: /reserved keys user_id, project_id, price_id, quantity/,
  },
  halfASurrogatePair: {
    path: /./,
    message: /well-formed Unicode without control characters/,
    words: /well-formed Unicode/,
  },
  prototypeAsKey: { path: /^__proto__$/, message: /is not known here/, words: /__proto__/ },
  yearBeyond: { path: time, message: /between the years 1970 and 9999/, words: /from 1970 to 9999 in UTC/ },
  timeOtherwiseWritten: {
    path: time,
    message: /must be a time such as/,
    words: /`T`, seconds and `Z` or an offset, without leap seconds/,
  },
  grantEndsTooEarly: {
    path: /^valid_to$/,
    message: /must be later than valid_from/,
    words: /Later than `valid_from` \(or now/,
  },
  keyExpiresInThePast: { path: /^expires_at$/, message: /must be in the future/, words: /In the future/ },
  pauseThatIsOver: { path: /^resumes_at$/, message: /must be in the future/, words: /in the future/ },
  sinceTheFuture: {
    path: /^since$/,
    message: /must not lie in the future/,
    words: /; not in the future/,
  },
  networkThatIsNone: {
    path: /^allowed_ips\.\d+$/,
    message: /must be an address or a network/,
    words: /in CIDR form/,
  },
  leastAboveMost: {
    path: /^(?:checkout_defaults\.)?adjustable_quantity\.max$/,
    message: /must not be less than min/,
    words: /from `min` to `max`, which must not be less/,
  },
  codesThatExcludeEachOther: {
    path: /^(?:checkout_defaults\.)?promotion_code$/,
    message: /does not go with allow_promotion_codes/,
    words: /(?:`promotion_code` does not go|Not) with `allow_promotion_codes`/,
  },
  nothingUsed: { path: /^quantity$/, message: /must not be 0/, words: /Not 0/ },
  correctionThatTakes: {
    path: /^quantity$/,
    message: /must be negative with corrects/,
    words: /[Nn]egative .* always with `corrects`/,
  },
  subscriptionOfFlow: {
    path: /^subscription_id$/,
    message: /is required, as the user has/,
    words: /unless the user has exactly one live subscription/,
  },
  refusedByStripe: {
    path: /^(?:configuration|flow)$/,
    message: /is refused by Stripe/,
    words: /that Stripe (?:has|allows)/,
  },
  windowTooLong: {
    path: /^from$/,
    message: /must be before `to`, by at most/,
    words: /before `to`, by at most [0-9]+ days/,
  },
  windowEndsTooEarly: { path: /^to$/, message: /must be later than from/, words: /later than `from`/ },
  foreignCursor: {
    path: /^cursor$/,
    message: /is not a cursor of this list/,
    words: /previous page of this list; anything else is refused/,
  },
  amountOfBoolean: {
    path: /^amount$/,
    message: /is for limits and metered features only/,
    words: /Not for a boolean feature/,
  },
  amountIsMissing: {
    path: /^amount$/,
    message: /is required, as the feature is/,
    words: /Required for a limit .* and for a metered feature/,
  },
  levelOfNoLimit: { path: /^counted$/, message: /is for limits only/, words: /Limits only/ },
  thresholdsOfNothing: {
    path: /^thresholds$/,
    message: /are for metered features and counted limits only/,
    words: /None for boolean features and limits that are not counted/,
  },
  meterOfOthers: {
    path: /^stripe_meter$/,
    message: /is for metered features only/,
    words: /Metered features only/,
  },
  settingsOfBoth: {
    path: /^features\.\d+\.\w+$/,
    message: /does not go with the settings of a metered feature/,
    words: /never settings of both/,
  },
  settingIsMissing: {
    path: /^features\.\d+\.(?:limit|allowance|period)$/,
    message: /is missing/,
    words: /A limit takes `limit`, a metered feature `allowance` and `period`/,
  },
  settingOfOtherKind: {
    path: /^features\.\d+\.(?:limit|allowance)$/,
    message: /is needed: the feature is/,
    words: /A limit takes `limit`, a metered feature `allowance` and `period`/,
  },
  settingOfBoolean: {
    path: /^features\.\d+\.feature_code$/,
    message: /is boolean and takes no settings/,
    words: /a boolean feature takes no settings/,
  },
  overageThatIsDenied: {
    path: /^features\.\d+\.overage_limit$/,
    message: /is for overage: allow only/,
    words: /With `overage: allow` only/,
  },
  rolloverOfOnce: {
    path: /^features\.\d+\.rollover$/,
    message: /is not for period: once/,
    words: /Not with `period: once`/,
  },
  featureTwice: {
    path: /^features\.\d+\.feature_code$/,
    message: /is named twice/,
    words: /no code may be named twice/,
  },
  tooManyFeatures: { path: /^features$/, message: /more than 200 codes/, words: /at most 200/ },
  jsonTooLarge: {
    path: /(?:^|\.)(?:value|properties)$/,
    message: /must have at most \d+ bytes as JSON/,
    words: /Any JSON up to \d KB/,
  },
  jsonTooDeep: {
    path: /(?:^|\.)(?:value|properties)$/,
    message: /must be at most 20 levels deep/,
    words: /at most 20 levels deep/,
  },
  jsonNotStorable: {
    path: /(?:^|\.)(?:value|properties)$/,
    message: /well-formed Unicode without NUL/,
    words: /well-formed Unicode without NUL/,
  },
  zoneThatIsNone: {
    path: /^policy\.usage_timezone$/,
    message: /must be the name of a time zone/,
    words: /An IANA time zone/,
  },
  noReason: {
    path: /^(?:revoke_)?reason$/,
    message: /is missing: send one of both/,
    words: /Send `reason` or `revoke_reason`/,
  },
  twoReasons: {
    path: /^(?:revoke_)?reason$/,
    message: /differs: send one of both/,
    words: /must be the same/,
  },
} satisfies Record<string, StatedRule>;

export type RuleName = keyof typeof statedRules;

/** The rules that explain this complaint about a field. */
export const rulesFor = (problem: { path: string; message: string }): StatedRule[] =>
  Object.values<StatedRule>(statedRules).filter(
    ({ path, message }) => path.test(problem.path) && message.test(problem.message),
  );
