// What went wrong with a request, in one shape, whoever says so.

/** A problem that the API or nginx answered, or that no answer came. */
export class Problem extends Error {
  /**
   * @param {number} status the HTTP status; 0 when no answer came
   * @param {object} body the problem document
   * @param {number} [retryAfter] seconds
   */
  constructor(status, body, retryAfter) {
    super(body.detail ?? body.title ?? body.code);
    this.name = "Problem";
    this.status = status;
    this.code = body.code;
    this.body = body;
    this.retryAfter = retryAfter;
    this.requestId = body.request_id;
    /** Whether an earlier try of the same request had no answer, or was still being worked on. */
    this.inDoubt = false;
  }

  /** The API's message for a field of the request, or undefined. */
  field(name) {
    return this.body.errors?.find((error) => error.field === name)?.message;
  }

  /** Whether the shop could not be asked, or says that it cannot answer now. */
  get isOutage() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}
