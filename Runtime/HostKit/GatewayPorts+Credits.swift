import FunctionCore
import HTTPTrigger
import Invocations
import Journal
import Storage
import UserData

/// Jobs that a user pays for.
extension GatewayPorts {
    /// Takes on a job with a price: what it costs is held, and the job waits in the user's shard for the
    /// journal, all in one commit; from then on it is accepted.
    ///
    /// A key is kept in the same commit, so that a request that is repeated holds nothing twice.
    func accept(
        _ job: NewJob,
        credits: Int,
        requestHash: String
    ) async throws -> AcceptedJob {
        let user = try GatewayPorts.payer(job, credits)
        try JobLimits.check(job.body)
        let paid = PaidJob(
            id: job.id,
            user: user,
            function: job.function,
            credits: credits,
            key: job.idempotencyKey,
            requestHash: requestHash,
            job: job.json.text,
            body: job.body
        )
        if let known = try await self.credits.accept(paid, now: clock.now) {
            return AcceptedJob(id: known, replayed: true)
        }
        // So that whoever asks at once finds the job. Where it fails, the relay does it later; a job must not
        // pass one of the same key that still waits for that.
        if let waiting = try? await self.credits.pendingJobs(upTo: paid) {
            try? await journal.settlements.take(waiting, from: self.credits, now: clock.now)
        }
        return AcceptedJob(id: job.id)
    }

    /// The user whose credits are held: the principal, never a number that anybody could write into a path.
    private static func payer(_ job: NewJob, _ credits: Int) throws -> Int {
        guard let principal = job.owner else {
            let message =
                "this costs \(credits) credits, and the request names no user; it has to come through what "
                + "signs users in and sets the header of `gateway.principalHeader`"
            throw FunctionError(status: 401, code: "principal_required", message: message, retry: .never)
        }
        guard let user = Int(principal), user >= 1 else {
            let message =
                "this costs \(credits) credits, and the user has no account: accounts belong to users with a "
                + "number from 1"
            throw FunctionError(status: 403, code: "no_account", message: message, retry: .never)
        }
        return user
    }
}
