/**
 * Why usage is refused: codes and titles, beside those of `errorCatalog`. A code of the catalog is one that some endpoint
 * answers with.
 */
export const usageErrors = {
  feature_not_metered: 'No usage is counted for this feature',
  timestamp_out_of_range: 'The time lies too far in the past or the future',
  event_conflict: 'The event id was used for another event',
  correction_too_large: 'More would be given back than was taken',
  level_below_zero: 'The level would fall below zero',
  insufficient_balance: 'There is not enough left',
  reservation_not_found: 'The reservation does not exist',
  reservation_conflict: 'The reservation id was used for another reservation',
  reservation_closed: 'The reservation has ended otherwise',
  too_many_reservations: 'Too many reservations are open',
} as const;

export type UsageErrorCode = keyof typeof usageErrors | 'invalid_request' | 'event_not_found';
