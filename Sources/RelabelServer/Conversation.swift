internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// One connection: request by request, each of them in time and not too large.
final class Conversation: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let gate: Gate
  private let workers: NIOThreadPool
  private let answer: LocalServer.Answer
  private var state = State.waiting
  private var deadline: Scheduled<Void>?

  private enum State {
    case waiting
    case reading(Request)
    /// Answered already: what still comes is not read.
    case done
  }

  /// Until a request has come as a whole, and until its answer is taken.
  private static let requestTime = TimeAmount.seconds(10)
  private static let answerTime = TimeAmount.seconds(60)
  /// Until a connection without a request is closed.
  private static let idleTime = TimeAmount.seconds(120)

  init(_ gate: Gate, _ workers: NIOThreadPool, _ answer: @escaping LocalServer.Answer) {
    (self.gate, self.workers, self.answer) = (gate, workers, answer)
  }

  func channelActive(context: ChannelHandlerContext) {
    close(after: Self.requestTime, context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      close(after: Self.requestTime, context)
      switch gate.admit(head.method.rawValue, head.uri, { head.headers[$0] }) {
      case .success(let request): state = .reading(request)
      case .failure(let refusal): refuse(refusal, context)
      }
    case .body(let part):
      guard case .reading(var request) = state else { return }
      guard request.method == .post,
        request.body.count + part.readableBytes <= Gate.maximumBodyBytes
      else { return refuse(Gate.Refusal(413, "the body is too large"), context) }
      request.body += part.readableBytesView
      state = .reading(request)
    case .end:
      guard case .reading(let request) = state else { return }
      state = .waiting
      close(after: Self.answerTime, context)
      let (bound, answer) = (NIOLoopBound((self, context), eventLoop: context.eventLoop), answer)
      workers.runIfActive(eventLoop: context.eventLoop) { answer(request) }.whenComplete { result in
        let (handler, context) = bound.value
        switch result {
        case .success(let response): handler.send(response, closing: false, context)
        case .failure: context.close(promise: nil)
        }
      }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // What is no HTTP, or a connection that broke.
    context.close(promise: nil)
  }

  private func refuse(_ refusal: Gate.Refusal, _ context: ChannelHandlerContext) {
    state = .done
    send(Response(refusal.status, refusal.text), closing: true, context)
  }

  private func send(_ response: Response, closing: Bool, _ context: ChannelHandlerContext) {
    var headers: HTTPHeaders = [
      "content-type": response.type,
      // What is sent is what it says it is, for this page alone, in no frame, and kept nowhere.
      "x-content-type-options": "nosniff", "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin", "cross-origin-opener-policy": "same-origin",
      "x-frame-options": "DENY", "content-security-policy": "frame-ancestors 'none'",
    ]
    if response.status != 204 {
      headers.add(name: "content-length", value: "\(response.body.count)")
    }
    if closing { headers.add(name: "connection", value: "close") }
    let head = HTTPResponseHead(
      version: .http1_1,
      status: .init(statusCode: response.status),
      headers: headers
    )
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    let body = context.channel.allocator.buffer(bytes: response.body)
    context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    close(after: Self.answerTime, context)
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
      let (handler, context) = bound.value
      if closing {
        context.close(promise: nil)
      } else {
        handler.close(after: Self.idleTime, context)
      }
    }
  }

  /// Closes the connection unless something happens in time.
  private func close(after time: TimeAmount, _ context: ChannelHandlerContext) {
    deadline?.cancel()
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    deadline = context.eventLoop.scheduleTask(in: time) { bound.value.close(promise: nil) }
  }
}
