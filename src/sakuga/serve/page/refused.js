/** An error whose message is a sentence for the user; `hopeless`: the same file will be refused again. */
export class Refused extends Error {
  constructor(sentence, status = 0) {
    super(sentence);
    this.status = status;
    this.hopeless = [400, 413, 415].includes(status);
  }
}
