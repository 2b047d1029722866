import Relabel

/// A view of a picture as its file holds it: the labels, and what was done to the picture.
struct StoredView {
  /// Which picture it is of.
  enum Picture: Hashable {
    /// The place of the picture in the list of the source, an ImageFolder.
    case number(Int)
    /// The name that a file gives.
    case key(String)
    /// The name of a file that holds all views of the picture, and its place among the files.
    case file(String, Int64)
  }

  let picture: Picture
  /// Where the view was found.
  let place: Place
  let labels: ViewLabels
  /// The number of the view within its picture, where the file says it; others are counted.
  var number: Int32?
  var box: ViewBox?
  /// True where the crop was mirrored left-right; nil where the file doesn't say.
  var isFlipped: Bool?
  var seed: Int64?
  var replay: ReplayPlace?
  var mixup: ViewMix?
  var cutmix: ViewMix?
  /// What the other columns don't hold, under the schema of the dialect.
  var operations: [String: JSON]?

  init(_ picture: Picture, at place: Place, _ labels: ViewLabels) {
    (self.picture, self.place, self.labels) = (picture, place, labels)
  }
}

/// Where a view stood in the training run that its labels were made in.
struct ReplayPlace: Hashable {
  let epoch: Int
  let batch: Int
  let slot: Int
}

/// The mix of a view with another of its batch.
struct ViewMix {
  let lambda: Double
  /// The place of the other picture in the list of the source.
  var partner: Int?
  /// The other view's slot.
  var slot: Int?
  /// Top, left, bottom and right in pixels of the view; nil where whole pictures are mixed.
  var box: [Int]?
}

/// Which part of its picture a view shows: top, left, height and width.
enum ViewBox {
  /// Fractions of the picture's height and width.
  case fractions([Double])
  /// Whole pixels.
  case pixels([Int])
  /// As EDC stores them: tops and heights as fractions of the width, lefts and widths of the height.
  case swapped([Float])

  /// True where fractions need the picture's size.
  var needsSize: Bool {
    if case .fractions = self { false } else { true }
  }

  /// The box as fractions of a picture of `size`.
  ///
  /// - Throws: `.invalidInput` where the stored numbers can't be of a picture of this size.
  func fractions(of size: ViewFacts.Size?) throws(RelabelError) -> [Double] {
    let (sides, pixels): ([Int], [Int])
    switch (self, size) {
    case (.fractions(let sides), _): return sides
    case (_, nil):
      throw RelabelError(.internalFault, "a box in pixels was read without its picture's size")
    case (.pixels(let box), let size?):
      (pixels, sides) = (box, [size.height, size.width])
    case (.swapped(let stored), let size?):
      let swapped = [size.width, size.height, size.width, size.height]
      sides = [size.height, size.width]
      pixels = zip(stored, swapped).map { Int((Double($0) * Double($1)).rounded(.toNearestOrEven)) }
      let again = zip(pixels, swapped).map { Float(Double($0) / Double($1)) }
      guard again == stored else {
        throw RelabelError(
          .invalidInput,
          "the stored box \(stored) is not of whole pixels of its picture, which is \(size.height)×\(size.width):"
            + " give --pictures the folder that the labels were made from"
        )
      }
    }
    let (bottom, right) = (pixels[0] + pixels[2], pixels[1] + pixels[3])
    guard bottom <= sides[0], right <= sides[1], pixels[0] >= 0, pixels[1] >= 0 else {
      throw RelabelError(
        .invalidInput,
        "the box from (\(pixels[0]), \(pixels[1])) to (\(bottom), \(right)) leaves its picture, which is"
          + " \(sides[0])×\(sides[1]): give --pictures the folder that the labels were made from"
      )
    }
    return (0..<4).map { Double(pixels[$0]) / Double(sides[$0 % 2]) }
  }
}
