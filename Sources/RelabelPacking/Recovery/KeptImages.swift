import Relabel
import RelabelVerification

/// The images that are kept already, by key and by image index.
///
/// Takes about 60 bytes an image and what keys take.
struct KeptImages {
  private var keys = KeyList()
  private var shards: [Int] = []
  private var placesOfHash: [UInt64: Int] = [:]
  private var placesOfIndex: [Int64: Int] = [:]

  /// The number of the shard whose image of this key is kept, or nil.
  func shard(ofKey key: String) -> Int? {
    var hash = KeyHash.of(key.utf8)
    while let place = placesOfHash[hash] {
      if keys[place]?.utf8.elementsEqual(key.utf8) == true { return shards[place] }
      hash &+= 1
    }
    return nil
  }

  /// Keeps an image, unless another has its key or its image index.
  ///
  /// - Parameters:
  ///   - key: the image's key.
  ///   - imageIndex: its image index.
  ///   - shard: a number of its shard.
  /// - Returns: nil, or what the two share and the number of the other's shard.
  mutating func keep(
    _ key: String,
    _ imageIndex: Int64,
    shard: Int
  ) -> (what: String, shard: Int)? {
    var hash = KeyHash.of(key.utf8)
    while let place = placesOfHash[hash] {
      if keys[place]?.utf8.elementsEqual(key.utf8) == true { return ("key", shards[place]) }
      hash &+= 1
    }
    if let place = placesOfIndex[imageIndex] { return ("image index", shards[place]) }
    placesOfHash[hash] = shards.count
    placesOfIndex[imageIndex] = shards.count
    keys.append(key)
    shards.append(shard)
    return nil
  }
}
