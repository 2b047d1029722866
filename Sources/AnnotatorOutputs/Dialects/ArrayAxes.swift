public import Relabel

/// What the axes of an array are, as the user names them.
public struct ArrayAxes: Hashable, Sendable {
  /// An axis of arrays of maps.
  package enum Axis: String, CaseIterable, Sendable {
    /// Images.
    case n
    /// Scores and class ids, or the other way around.
    case p
    /// All classes.
    case c
    /// The classes that were kept in a cell, best first.
    case k
    case y, x
  }

  package let axes: [Axis]

  /// The words that are understood, for help and errors.
  public static let words: String =
    "n (images), c (classes), k or rank (kept classes), y or h, x or w, p (plane of scores and plane of class ids)"

  /// Reads words such as `n h w c`.
  ///
  /// - Throws: `.usage` for a word that is not known, and for an axis that is named twice.
  public init(_ text: String) throws(RelabelError) {
    var axes: [Axis] = []
    let separators: Set<Character> = [" ", ",", "-"]
    for word in text.lowercased().split(whereSeparator: separators.contains) {
      let axis: Axis? =
        switch word {
        case "h": .y
        case "w": .x
        case "rank": .k
        default: Axis(rawValue: String(word))
        }
      guard let axis, !axes.contains(axis) else {
        throw RelabelError(
          .usage,
          "--axes '\(text)': '\(word)' is not an axis, or there twice; the axes are \(Self.words)"
        )
      }
      axes.append(axis)
    }
    guard axes.contains(.c) || axes.contains(.k) || axes.contains(.p) else {
      throw RelabelError(
        .usage,
        "--axes '\(text)' names no axis of classes: c for all of them, k for those that were kept"
      )
    }
    self.axes = axes
  }

  package init(_ axes: [Axis]) { self.axes = axes }

  /// The axes as the option writes them.
  public var text: String { axes.map(\.rawValue).joined(separator: " ") }

  /// Refuses an array with another number of axes.
  func check(_ shape: [Int]) throws(RelabelError) {
    guard axes.count == shape.count else {
      throw RelabelError(
        .invalidInput,
        "the array's shape is \(shape), and the axes are '\(text)': \(axes.count) of them for \(shape.count)"
      )
    }
  }

  /// What the axes of dense scores of this shape are where nobody says it.
  ///
  /// - Throws: `.usage` where the shape leaves it open.
  static func dense(_ shape: [Int], _ options: InputOptions) throws(RelabelError) -> ArrayAxes {
    switch shape.count {
    case 1, 2:
      let classes = options.sourceClasses
      guard shape.last == classes else {
        let axes = shape.count == 1 ? "c" : "n c"
        throw RelabelError(
          .invalidInput,
          "the array's shape is \(shape); dense maps are [C, H, W] or [N, C, H, W]: if these are scores of"
            + " \(shape.last ?? 0) classes for whole images, give --num-classes or --axes '\(axes)'"
        )
      }
      return ArrayAxes(shape.count == 1 ? [.c] : [.n, .c])
    case 3, 4:
      let axes = shape.suffix(3).map(\.self)
      let odd = DenseLayout.oddness(axes[0], axes[1], axes[2], options.numClasses)
      if !options.isBackgroundFirst, let odd {
        throw RelabelError(.invalidInput, "the array \(shape) reads as \(odd)")
      }
      return ArrayAxes((shape.count == 4 ? [.n] : []) + [.c, .y, .x])
    default:
      throw RelabelError(
        .invalidInput,
        "the array's shape is \(shape); dense maps are [C, H, W] or [N, C, H, W], or --axes says what the axes are"
      )
    }
  }

  /// What the axes of scores and class ids of this shape are where nobody says it.
  static func sparse(_ shape: [Int]) throws(RelabelError) -> ArrayAxes {
    switch shape.count {
    case 3: return ArrayAxes([.y, .x, .k])
    case 4: return ArrayAxes([.n, .y, .x, .k])
    default:
      throw RelabelError(
        .usage,
        "the array's shape is \(shape); label maps are [H, W, k] or [N, H, W, k]: --axes says what other axes are,"
          + " such as 'n k' for one cell an image"
      )
    }
  }
}
