import FunctionCore
import HTTPTrigger
import Invocations
import LambdaAPI

/// Routes of the Lambda API: errors, also those of the gateway, have its form, and every answer its request
/// id.
enum LambdaRoute {
    static func make(
        _ method: String,
        _ pattern: String,
        _ answer: @escaping @Sendable (EndpointRequest) async throws(LambdaError) -> EndpointResponse,
        invocation: (@Sendable (EndpointRequest) -> EndpointInvocation?)? = nil
    ) -> EndpointRoute {
        var route = EndpointRoute(method, pattern, bodyLimit: LambdaRequest.payloadMax) { request in
            do throws(LambdaError) {
                return identified(try await answer(request), request.id)
            } catch {
                return identified(response(error), request.id)
            }
        }
        route.invocation = invocation
        route.refusal = { error, id in
            let tooLarge = error.status == 413
            return identified(
                response(tooLarge ? .tooLarge(LambdaRequest.payloadMax) : LambdaError(error)),
                id
            )
        }
        return route
    }

    /// The fields of an answer to an invocation that has run.
    static func replied(_ invocation: Invocation) -> [Header] {
        [Header("x-amz-executed-version", "$LATEST"), Header("x-trace-id", invocation.trace.traceID)]
    }

    /// The response that an invocation's reply comes to, from the connection's loop.
    static func answered(
        _ id: String,
        _ answer: () throws(LambdaError) -> EndpointResponse
    ) -> EndpointResponse {
        do throws(LambdaError) {
            return identified(try answer(), id)
        } catch {
            return identified(response(error), id)
        }
    }

    private static func response(_ error: LambdaError) -> EndpointResponse {
        .json(error.json, status: error.status, headers: error.headers)
    }

    private static func identified(_ response: EndpointResponse, _ id: String) -> EndpointResponse {
        var response = response
        response.headers.append(Header("x-amzn-requestid", InvocationID.uuid(of: id)))
        return response
    }
}
