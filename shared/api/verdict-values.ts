/** What a reviewer may say of an event. A plain list, so that a browser can have it without a schema library. */
export const verdictValues = ['true', 'false', 'duplicate', 'unsure'] as const
