import Relabel

/// What every image passes, listed or arriving: key, class count, duplicate, line of the list.
struct Admission {
  /// The list that gives the images their places.
  let list: ImageList?
  private let givenClasses: Int?
  /// What the first dense map of the input has.
  private var firstClasses: Int?

  init(_ options: InputOptions, _ list: ImageList?) {
    self.list = list
    givenClasses = options.numClasses
  }

  /// Checks an image against itself and those before.
  ///
  /// - Parameters:
  ///   - key: its key.
  ///   - found: what was found.
  ///   - sources: two places that give the key, when there are several.
  /// - Returns: the image, or one at the same place that fails.
  mutating func check(
    _ key: String,
    _ found: Entry,
    duplicate sources: (Place, Place)? = nil
  ) -> Entry {
    if let (first, second) = sources {
      let error = Self.duplicate(first.description(key: key), second.description(key: key))
      return .failing(error, at: found.place)
    }
    if !found.isFailing, let fault = ImageKey.fault(key) {
      return .failing(RelabelError(.invalidInput, fault), at: found.place)
    }
    guard let classes = found.denseClasses else { return found }
    firstClasses = firstClasses ?? classes
    guard let expected = givenClasses ?? firstClasses, classes != expected else { return found }
    let whose =
      givenClasses == nil
      ? "the first map of the input \(expected)"
      : "not the \(expected) given by --num-classes or --classes"
    return .failing(
      RelabelError(.invalidInput, "the map scores \(classes) classes, \(whose)"),
      at: found.place
    )
  }

  /// The line of the list that an image is on; an image without one fails where there is a list.
  func line(of key: String, _ entry: inout Entry) -> Int? {
    guard let list else { return nil }
    if let line = list.line(of: key) { return line }
    if !entry.isFailing { entry = .failing(ImageList.missing(key), at: entry.place) }
    return nil
  }

  /// What an image with two sources fails with.
  private static func duplicate(_ first: String, _ second: String) -> RelabelError {
    RelabelError(
      .invalidInput,
      first == second
        ? "'\(first)' is there twice; keep one of them"
        : "'\(first)' and '\(second)' give the same key; keep one of them"
    )
  }
}
