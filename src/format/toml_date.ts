const form =
  /^(?:(\d{4})-(\d{2})-(\d{2}))?(?:(^|[Tt ])(\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})?)?$/;

/** Whether a text is a date, a time or both, as TOML writes them, and exists. */
export function isDateTime(text: string): boolean {
  const found = form.exec(text);
  if (found === null || text === "") return false;
  const [, year, month, day, separator, hour, minute, second, offset] = found;
  if (year !== undefined && !isDay(Number(year), Number(month), Number(day))) return false;
  if (separator === undefined) return year !== undefined;
  // A time begins the text exactly when there is no date, and then it has no offset.
  if ((separator === "") !== (year === undefined) || (year === undefined && offset !== undefined)) {
    return false;
  }
  const [offsetHour = 0, offsetMinute = 0] = (offset ?? "").slice(1).split(":").map(Number);
  return Number(hour) <= 23 && Number(minute) <= 59 && Number(second ?? 0) <= 60 &&
    offsetHour <= 23 && offsetMinute <= 59;
}

function isDay(year: number, month: number, day: number): boolean {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day >= 1 && day <= days;
}
