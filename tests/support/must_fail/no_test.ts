import { describe } from "../kit.ts";

describe("nothing inside", () => {});
