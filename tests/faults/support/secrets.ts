/** Of the processes that a stack starts. */
export const webhookSecret = 'whsec_faults';
export const adminSecret = 'faults-admin-secret';
