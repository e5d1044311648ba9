/** What decisions depend on besides what is stored: of the environment. */
export type UsageSettings = {
  pastDueGraceDays: number;
  renewalAllowanceMs: number;
  /** How late usage may be told. */
  lateMs: number;
  /** How long event ids are remembered. */
  retentionMs: number;
  /** How long the series goes back. */
  seriesMs: number;
};
