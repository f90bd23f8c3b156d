/**
 * What Moodle answers instead of a result: HTTP 200 with an exception object. Without debugging the
 * message of most refusals is one and the same sentence (recordings moodle-4.5.6/06, 07).
 */
export class MoodleFailure extends Error {
  override readonly name = 'MoodleFailure';
  readonly exception: string;
  /** Null for a bare PHP error, which has none (recording moodle-4.5.6/21). */
  readonly errorcode: string | null;

  constructor(p: {
    readonly exception: string;
    readonly errorcode: string | null;
    readonly message: string;
  }) {
    super(p.message);
    this.exception = p.exception;
    this.errorcode = p.errorcode;
  }
}

export function invalidParameter(): MoodleFailure {
  return new MoodleFailure({
    exception: 'core\\exception\\invalid_parameter_exception',
    errorcode: 'invalidparameter',
    message: 'Invalid parameter value detected',
  });
}

export function invalidResponse(): MoodleFailure {
  return new MoodleFailure({
    exception: 'core\\exception\\invalid_response_exception',
    errorcode: 'invalidresponse',
    message: 'Invalid response value detected',
  });
}

export function moodleFailure(errorcode: string, message: string): MoodleFailure {
  return new MoodleFailure({
    exception: 'core\\exception\\moodle_exception',
    errorcode,
    message,
  });
}

export function codingError(what: string): MoodleFailure {
  return new MoodleFailure({
    exception: 'core\\exception\\coding_exception',
    errorcode: 'codingerror',
    message: `Coding error detected, it must be fixed by a programmer: ${what}`,
  });
}

export function writeFailure(): MoodleFailure {
  return new MoodleFailure({
    exception: 'dml_write_exception',
    errorcode: 'dmlwriteexception',
    message: 'Error writing to database',
  });
}

export function missingRecord(table: string): MoodleFailure {
  return new MoodleFailure({
    exception: 'dml_missing_record_exception',
    errorcode: 'invalidrecord',
    message: `Can't find data record in database table ${table}.`,
  });
}

export function missingUser(): MoodleFailure {
  return new MoodleFailure({
    exception: 'dml_missing_record_exception',
    errorcode: 'invaliduser',
    message: 'Invalid user',
  });
}

export function noPermission(what: string): MoodleFailure {
  return new MoodleFailure({
    exception: 'core\\exception\\required_capability_exception',
    errorcode: 'nopermissions',
    message: `Sorry, but you do not currently have permissions to do that (${what}).`,
  });
}

export function loginRequired(): MoodleFailure {
  return new MoodleFailure({
    exception: 'core\\exception\\require_login_exception',
    errorcode: 'requireloginerror',
    message: 'Course or activity not accessible.',
  });
}
