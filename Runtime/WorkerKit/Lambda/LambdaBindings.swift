import FunctionCore

/// Refuses every binding: on Lambda no host of ours stands behind the function.
struct LambdaBindings: BindingCaller {
    func call(_ request: BindingRequest) async throws -> BindingReply {
        throw FunctionError(
            status: 501,
            code: "binding_unavailable",
            message:
                "`\(request.binding).\(request.method)` is not there on AWS Lambda, where no Swiftlet host "
                + "answers; run this function with `swiftlet serve`, or deploy to Lambda only operations that "
                + "call no binding",
            retry: .never
        )
    }
}
