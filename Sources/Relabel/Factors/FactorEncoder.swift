/// Makes factors of maps of logits: few products that add up to what targets of random crops need.
///
/// The error that is kept small is that of pooled logits, each class weighted by how much its probability moves between crops: to
/// second order this is the divergence of targets. Every machine makes the same bytes of the same map, with any number of threads.
/// Callable from any thread.
package struct FactorEncoder: Sendable {
  /// How many factors a map may have.
  package let factors: Int
  /// What the rounding of one number may add to the divergence, times 24: the lower, the nearer and the longer.
  package var quality: Double
  let grid: FactorGrid
  private let (height, width): (Int, Int)
  let numClasses: Int

  /// A factor is kept if it takes away more than this, times quality and classes.
  static let worth = 0.03
  /// How much coarser amounts in cells are rounded than what factors say of classes: crops average over cells.
  static let coarseness = 4.0
  /// What a class weighs that no crop shows.
  static let floor = 1e-5
  /// The coarsest step of a class, in logits.
  static let widest = 2.0
  /// Stored numbers lie from −127 to 127.
  static let largest = 127.0

  /// The quality that the packer uses unless told otherwise.
  package static let usualQuality: Double = 3e-4
  /// The most factors unless told otherwise.
  package static let usualFactors: Int = 8

  /// Makes an encoder for maps of one grid.
  ///
  /// - Throws: `.usage` for a grid of too many cells.
  package init(
    height: Int,
    width: Int,
    numClasses: Int,
    factors: Int = usualFactors,
    quality: Double = usualQuality
  ) throws(RelabelError) {
    guard height * width <= FactorGrid.mostCells else {
      throw RelabelError(
        .usage,
        "maps of \(height)×\(width) cells are not factorised; at most \(FactorGrid.mostCells) cells are"
      )
    }
    self.factors = min(factors, numClasses, height * width)
    self.quality = quality
    (self.height, self.width) = (height, width)
    self.numClasses = numClasses
    grid = FactorGrid(height: height, width: width)
  }

  /// How amounts are stored: whole numbers in 8 bits, as they are.
  package static let amounts = ScoreEncoding(
    name: .fixed8,
    packing: ScoreEncoding.Packing(step: 1, offset: -127)
  )

  /// The factors of a map that may be of another grid.
  ///
  /// - Throws: `.invalidInput` for a map of another grid or other classes, and for scores that are not finite.
  package func checked(_ dense: DenseMap) throws(RelabelError) -> LabelMap {
    guard dense.classes == numClasses, dense.height == height, dense.width == width else {
      throw RelabelError(
        .invalidInput,
        "the map is \(dense.height)×\(dense.width) of \(dense.classes) classes, this dataset's are"
          + " \(height)×\(width) of \(numClasses)"
      )
    }
    return encode(dense)
  }

  /// The factors of a map.
  ///
  /// - Parameter dense: logits of all classes, all finite.
  /// - Returns: the map, whose ids number factors.
  /// - Complexity: O(cells · classes · 32).
  package func encode(_ dense: DenseMap) -> LabelMap {
    precondition(dense.classes == numClasses && dense.cells == grid.cells)
    let seen = seen(of: dense)
    let weight = seen.weights(grid, floor: Self.floor)
    var amounts = strongest(seen, weight)
    var rounded = round(amounts, seen, weight)
    // The best amounts for what the rounding left of the numbers of classes.
    let exact = rounded.exact
    amounts = exact.gram(weight).solving(seen.products(with: exact, weight, grid.directions))
    rounded = round(amounts.times(grid.inverse), seen, weight)
    return map(rounded, MapShape(height: dense.height, width: dense.width, topK: factors))
  }
}

extension FactorEncoder {
  /// Maps of one cell are seen in `FactorGrid.kept` directions: [class][direction], less the mean of all classes.
  private func seen(of dense: DenseMap) -> SeenMap {
    let kept = FactorGrid.kept
    var seen = [Float](repeating: 0, count: numClasses * kept)
    dense.score.withUnsafeBufferPointer { scores in
      grid.root.withUnsafeBufferPointer { root in
        seen.withUnsafeMutableBufferPointer { seen in
          guard let rootStart = root.baseAddress, let seenStart = seen.baseAddress else { return }
          for id in 0..<numClasses {
            var (a, b, c, d) = (
              SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero
            )
            let row = id &* grid.cells
            for cell in 0..<grid.cells {
              let score = SIMD8<Float>(repeating: scores[row &+ cell])
              let place = UnsafeRawPointer(rootStart + cell &* kept)
              a += score * place.loadUnaligned(as: SIMD8<Float>.self)
              b += score * place.loadUnaligned(fromByteOffset: 32, as: SIMD8<Float>.self)
              c += score * place.loadUnaligned(fromByteOffset: 64, as: SIMD8<Float>.self)
              d += score * place.loadUnaligned(fromByteOffset: 96, as: SIMD8<Float>.self)
            }
            let target = UnsafeMutableRawPointer(seenStart + id &* kept)
            target.storeBytes(of: a, as: SIMD8<Float>.self)
            target.storeBytes(of: b, toByteOffset: 32, as: SIMD8<Float>.self)
            target.storeBytes(of: c, toByteOffset: 64, as: SIMD8<Float>.self)
            target.storeBytes(of: d, toByteOffset: 96, as: SIMD8<Float>.self)
          }
          for direction in 0..<kept {
            var sum = 0.0
            for id in 0..<numClasses { sum += Double(seen[id &* kept &+ direction]) }
            let mean = Float(sum / Double(numClasses))
            for id in 0..<numClasses { seen[id &* kept &+ direction] -= mean }
          }
        }
      }
    }
    return SeenMap(numClasses: numClasses, values: seen)
  }

  /// The amounts in cells of the factors that are worth their bytes, [factor][cell].
  private func strongest(_ seen: SeenMap, _ weight: [Double]) -> SmallMatrix {
    let (values, vectors) = seen.square(weight, grid.directions).eigen()
    let needed = Self.worth * quality * Double(numClasses)
    let rank = max(1, values.prefix(factors).count { $0 > needed })
    var chosen = SmallMatrix(rank, grid.directions)
    chosen.values = Array(vectors.values[..<(rank * grid.directions)])
    return chosen.times(grid.inverse)
  }
}
