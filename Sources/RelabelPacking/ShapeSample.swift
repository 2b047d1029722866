import AnnotatorOutputs
import Relabel

/// Grid and k of a dataset: what most of the first sound images have.
///
/// Not simply the first one's: then one odd image in front would leave out all the others.
struct ShapeSample {
  /// Grid and k.
  let shape: MapShape
  /// The keys of the images that were looked at.
  let keys: [String]

  /// Images that decide.
  static let images = 25

  /// Loads images until enough of them are sound.
  ///
  /// - Parameters:
  ///   - count: how many there are.
  ///   - options: whether bad ones may be left out.
  ///   - image: gives the image at a place.
  /// - Throws: the fault of the first bad one; `.usage` where there is none at all.
  init(
    _ count: Int,
    _ options: PackOptions,
    _ image: (Int) throws(RelabelError) -> PendingImage
  ) throws(RelabelError) {
    var counts: [MapShape: Int] = [:]
    var order: [MapShape] = []
    var firstError: RelabelError?
    var keys: [String] = []
    var next = 0
    while keys.count < Self.images, next < count {
      var images: [PendingImage] = []
      // As many as are wanted if all of them are sound.
      for place in next..<min(next + Self.images - keys.count, count) {
        images.append(try image(place))
      }
      next += images.count
      images.removeAll { options.exclusion($0) != nil }
      let sample = images
      let shapes = Parallel.map(sample.count, jobs: options.jobs) { place in
        Result { () throws(RelabelError) in try sample[place].load().shape }
      }
      for (image, shape) in zip(sample, shapes) {
        do throws(RelabelError) {
          let shape = try shape.get()
          keys.append(image.key)
          counts[shape, default: 0] += 1
          if counts[shape] == 1 { order.append(shape) }
        } catch {
          let error = error.located(Location(file: image.source, key: image.key))
          guard options.skipsBadInput, error.isBadInput else { throw error }
          firstError = firstError ?? error
        }
      }
    }
    let most = counts.values.max()
    guard let common = order.first(where: { counts[$0] == most }) else {
      throw firstError ?? RelabelError(.usage, "there are no label maps in the input")
    }
    (shape, self.keys) = (common, keys)
  }

  /// What the shard of an earlier run has.
  init(shape: MapShape, keys: [String]) {
    (self.shape, self.keys) = (shape, keys)
  }
}
