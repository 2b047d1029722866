import AnnotatorOutputs
import Relabel
import Testing

@Suite("Arrays in any order of axes")
struct ArrayAxesTests {
  @Test(
    "words",
    arguments: [("n h w c", "n y x c"), ("C,H,W", "c y x"), ("n-p-rank-y-x", "n p k y x")]
  )
  func words(_ text: String, _ meaning: String) throws {
    #expect(try ArrayAxes(text).text == meaning)
  }

  @Test("words that are none", arguments: ["", "n h w", "n h w q", "c c", "h y c", "n,,x"])
  func noWords(_ text: String) {
    expectError(.usage, "--axes '\(text)'") { _ = try ArrayAxes(text) }
  }

  private func load(
    _ shape: [Int],
    _ values: [Float],
    axes: String?,
    topK: Int = 1,
    numClasses: Int? = nil,
    isBackgroundFirst: Bool = false
  ) throws -> LabelMap {
    let folder = try TemporaryFolder()
    let path = try folder.write("a.npy", ArrayFile.npy(shape, ArrayFile.floats(values)))
    var options = options(topK: topK, numClasses: numClasses)
    options.axes = try axes.map { try ArrayAxes($0) }
    options.isBackgroundFirst = isBackgroundFirst
    return try onlyImage(path, options).load()
  }

  @Test func channelsLast() throws {
    // [y, x, c] of 1×2 cells and three classes.
    let map = try load([1, 2, 3], [0, 5, 1, 7, 2, 3], axes: "h w c")
    #expect(map.classIndex == [1, 0] && map.score == [5, 7])
    let turned = try load([2, 1, 3], [0, 5, 1, 7, 2, 3], axes: "w h c")
    #expect(turned == map)
  }

  @Test func planes() throws {
    // Scores, then class ids, [p, k, y, x].
    let values: [Float] = [0.5, 9.5, 0.25, 8.5, 3, 4, 5, 6]
    let map = try load([2, 2, 1, 2], values, axes: "p k h w", topK: 2)
    #expect(map.classIndex == [3, 5, 4, 6] && map.score == [0.5, 0.25, 9.5, 8.5])
    // By its values alone it is known, too.
    #expect(try load([2, 2, 1, 2], values, axes: nil, topK: 2) == map)
    expectError(.invalidInput, "axis p", "3 planes") {
      _ = try load([3, 1, 1, 1], [1, 2, 3], axes: "p k h w")
    }
  }

  @Test func background() throws {
    let map = try load([3, 1, 1], [9, 1, 2], axes: nil, isBackgroundFirst: true)
    #expect(map.classIndex == [1] && map.score == [2])
    let planes: [Float] = [3.5, 2.5, 1.5, 4, 0, 7]
    let sparse = try load([2, 3, 1, 1], planes, axes: nil, topK: 2, isBackgroundFirst: true)
    #expect(sparse.classIndex == [3, 6] && sparse.score == [3.5, 1.5])
    expectError(.invalidInput, "that is the background") {
      _ = try load([1, 1, 1], [1], axes: "c h w", isBackgroundFirst: true)
    }
  }

  @Test func valuesThatMayBeTwoDenseMaps() {
    let falling: [Float] = [0.5, 0.25, 3, 4]
    let faults: [[Float]] = [
      [0.25, 0.5, 3, 4],  // scores that rise
      [0.5, 0.25, 3, 3],  // a class twice
      [2, 1, 3, 4],  // whole scores
      [0.5, 0.25, 3, 4.5],  // a class between two
    ]
    #expect(throws: Never.self) { _ = try load([2, 2, 1, 1], falling, axes: nil, topK: 2) }
    for values in faults {
      expectError(.invalidInput, "looks like a label map", "--dialect array") {
        _ = try load([2, 2, 1, 1], values, axes: nil, topK: 2)
      }
    }
  }

  @Test func shapesThatSettleNothing() {
    let text = "--num-classes or --axes 'n c'"
    expectError(.invalidInput, text) { _ = try load([2, 2], [1, 2, 3, 4], axes: nil) }
    expectError(.invalidInput, text) {
      _ = try load([2, 3], [1, 2, 3, 4, 5, 6], axes: nil, numClasses: 2)
    }
    expectError(.invalidInput, "2 of them for 3") {
      _ = try load([1, 2, 2], [1, 2, 3, 4], axes: "n c")
    }
  }
}
