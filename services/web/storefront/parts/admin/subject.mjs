// What is being edited: what was read last with its ETag, which every edit of it names.

import { getWithTag, request } from "../../lib/api.mjs";

export class Subject extends EventTarget {
  #path;

  /** @param {string} path where it is read */
  constructor(path) {
    super();
    this.#path = path;
  }

  /** Reads it (again). */
  async read(signal) {
    this.#keep(await getWithTag(this.#path, { signal }));
    return this;
  }

  /**
   * Writes to `path` on the condition that it still is what was read; the answer is the whole of it as it is then.
   * @throws {Problem} 412 when it is not
   */
  async write(method, path, body) {
    const answer = await request(method, path, { body, headers: { "If-Match": this.etag }, repeat: false });
    this.#keep({ body: answer.body, etag: answer.response.headers.get("ETag") });
  }

  #keep({ body, etag }) {
    this.body = body;
    this.etag = etag;
    this.dispatchEvent(new Event("change"));
  }
}
