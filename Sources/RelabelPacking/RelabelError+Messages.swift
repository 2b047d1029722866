import Relabel

extension RelabelError {
  /// The error as a helper sends it.
  var json: JSON {
    .object([
      "code": .string(code.rawValue), "message": .string(message),
      "file": .optional(location.file),
    ])
  }

  /// Reads it again; nil for what is no error.
  init?(_ json: JSON?) {
    guard let code = json?["code"]?.string, let message = json?["message"]?.string else {
      return nil
    }
    self.init(Code(rawValue: code), message, at: Location(file: json?["file"]?.string))
  }
}
