/** A fault that the suite claims to notice: it is put into a copy of the code, and a test must then fail. */
export interface Mutant extends Replacement {
  /** What is broken, in words. */
  readonly name: string;
  readonly file: string;
  /** What else has to be replaced in the same file. */
  readonly also?: readonly Replacement[];
  /** Part of the path of the test file that is to notice. */
  readonly tests: string;
  /** Part of the name of a test in it that must fail. */
  readonly by: string;
}

/** A change of a file. */
export interface Replacement {
  /** A text that stands once in the file. */
  readonly from: string;
  readonly to: string;
}
