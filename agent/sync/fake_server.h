#pragma once

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "autopxe/v1/agent.grpc.pb.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

namespace autopxe::agent {

// The agents' side of a server on a port of loopback, which does what a test says: a real peer
// behind a real connection. Everything is thread-safe; what waits, waits for as long as the test
// may run.
class FakeServer {
 public:
  // port 0: any free one.
  explicit FakeServer(int port = 0) : service_(*this) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(),
                             &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    EXPECT_NE(server_, nullptr);
  }

  ~FakeServer() {
    {
      absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  int port() const { return port_; }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

  // The request of the next watch that begins.
  v1::WatchConfigurationRequest WaitForWatch() { return TakeFirst(watches_); }

  // How many watches have begun.
  int watches() const {
    absl::MutexLock lock(&mutex_);
    return watch_count_;
  }

  // To the watch that began last, or else the next one.
  void Send(v1::WatchConfigurationResponse response) {
    absl::MutexLock lock(&mutex_);
    responses_.push_back(std::move(response));
  }

  // Ends the watch that runs, after all that was sent.
  void EndWatch(grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    ends_.push_back(std::move(status));
  }

  // Why the next watch that ends did: CANCELLED if its client went away.
  grpc::Status WaitForEnd() { return TakeFirst(ended_); }

  // How many reports have come, refused ones among them.
  int status_attempts() const {
    absl::MutexLock lock(&mutex_);
    return status_attempts_;
  }
  int catalog_attempts() const {
    absl::MutexLock lock(&mutex_);
    return catalog_attempts_;
  }

  v1::ReportStatusRequest WaitForStatus() { return TakeFirst(statuses_); }
  v1::ReportCatalogRequest WaitForCatalog() { return TakeFirst(catalogs_); }
  v1::ReportUsedNextBootsRequest WaitForUsed() { return TakeFirst(used_); }

  // The next `count` reports, of whatever kind, fail so.
  void RefuseReports(int count, grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    refusals_left_ = count;
    refusal_ = std::move(status);
  }

  // The answer to the next status says that the catalog is wanted.
  void WantCatalog() {
    absl::MutexLock lock(&mutex_);
    wants_catalog_ = true;
  }

  // The next status gets no answer, for as long as its client waits.
  void HoldStatus() {
    absl::MutexLock lock(&mutex_);
    holds_status_ = true;
  }

  // As RefuseReports, for used next boots alone.
  void RefuseUsed(int count, grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    used_refusals_left_ = count;
    refusal_ = std::move(status);
  }
  int used_attempts() const {
    absl::MutexLock lock(&mutex_);
    return used_attempts_;
  }

  // The same for catalogs alone.
  void RefuseCatalogs(int count, grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    catalog_refusals_left_ = count;
    refusal_ = std::move(status);
  }

 private:
  class Service final : public v1::AgentService::Service {
   public:
    explicit Service(FakeServer& owner) : owner_(owner) {}

    grpc::Status WatchConfiguration(
        grpc::ServerContext* context, const v1::WatchConfigurationRequest* request,
        grpc::ServerWriter<v1::WatchConfigurationResponse>* writer) override {
      int ordinal;
      {
        absl::MutexLock lock(&owner_.mutex_);
        owner_.watches_.push_back(*request);
        ordinal = ++owner_.watch_count_;
      }
      const grpc::Status status = Serve(ordinal, *context, *writer);
      absl::MutexLock lock(&owner_.mutex_);
      owner_.ended_.push_back(status);
      return status;
    }

    grpc::Status ReportStatus(grpc::ServerContext* context, const v1::ReportStatusRequest* request,
                              v1::ReportStatusResponse* response) override {
      bool is_held;
      {
        absl::MutexLock lock(&owner_.mutex_);
        ++owner_.status_attempts_;
        is_held = std::exchange(owner_.holds_status_, false);
        response->set_catalog_wanted(std::exchange(owner_.wants_catalog_, false));
      }
      if (is_held) {
        while (!context->IsCancelled()) std::this_thread::yield();
        return grpc::Status::CANCELLED;
      }
      return owner_.Note(*request, owner_.statuses_);
    }

    grpc::Status ReportCatalog(grpc::ServerContext*, const v1::ReportCatalogRequest* request,
                               v1::ReportCatalogResponse*) override {
      {
        absl::MutexLock lock(&owner_.mutex_);
        ++owner_.catalog_attempts_;
        if (owner_.catalog_refusals_left_ > 0) {
          --owner_.catalog_refusals_left_;
          return owner_.refusal_;
        }
      }
      return owner_.Note(*request, owner_.catalogs_);
    }

    grpc::Status ReportUsedNextBoots(grpc::ServerContext*,
                                     const v1::ReportUsedNextBootsRequest* request,
                                     v1::ReportUsedNextBootsResponse*) override {
      {
        absl::MutexLock lock(&owner_.mutex_);
        ++owner_.used_attempts_;
        if (owner_.used_refusals_left_ > 0) {
          --owner_.used_refusals_left_;
          return owner_.refusal_;
        }
      }
      return owner_.Note(*request, owner_.used_);
    }

   private:
    grpc::Status Serve(int ordinal, grpc::ServerContext& context,
                       grpc::ServerWriter<v1::WatchConfigurationResponse>& writer) {
      while (!context.IsCancelled()) {
        v1::WatchConfigurationResponse response;
        {
          absl::MutexLock lock(&owner_.mutex_);
          const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(owner_.mutex_) {
            return owner_.stopping_ || !owner_.responses_.empty() || !owner_.ends_.empty();
          };
          // Comes back now and then, since a cancelled call wakes nobody here.
          owner_.mutex_.AwaitWithTimeout(absl::Condition(&has_work), absl::Milliseconds(5));
          if (owner_.stopping_) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
          // One whose client went away before it was noticed takes nothing from the next one.
          if (ordinal != owner_.watch_count_) break;
          if (owner_.responses_.empty() && !owner_.ends_.empty()) {
            const grpc::Status status = owner_.ends_.front();
            owner_.ends_.pop_front();
            return status;
          }
          if (owner_.responses_.empty()) continue;
          response = std::move(owner_.responses_.front());
          owner_.responses_.pop_front();
        }
        writer.Write(response);
      }
      return grpc::Status::CANCELLED;
    }

    FakeServer& owner_;
  };

  template <typename T>
  T TakeFirst(std::deque<T>& queue) {
    const auto has_one = [&queue] { return !queue.empty(); };
    absl::MutexLock lock(&mutex_, absl::Condition(&has_one));
    T first = std::move(queue.front());
    queue.pop_front();
    return first;
  }

  template <typename Request>
  grpc::Status Note(const Request& request, std::deque<Request>& queue) {
    absl::MutexLock lock(&mutex_);
    if (refusals_left_ > 0) {
      --refusals_left_;
      return refusal_;
    }
    queue.push_back(request);
    return grpc::Status::OK;
  }

  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<v1::WatchConfigurationResponse> responses_ ABSL_GUARDED_BY(mutex_);
  std::deque<grpc::Status> ends_ ABSL_GUARDED_BY(mutex_);
  int watch_count_ ABSL_GUARDED_BY(mutex_) = 0;
  int status_attempts_ ABSL_GUARDED_BY(mutex_) = 0;
  int catalog_attempts_ ABSL_GUARDED_BY(mutex_) = 0;
  bool holds_status_ ABSL_GUARDED_BY(mutex_) = false;
  bool wants_catalog_ ABSL_GUARDED_BY(mutex_) = false;
  int refusals_left_ ABSL_GUARDED_BY(mutex_) = 0;
  int catalog_refusals_left_ ABSL_GUARDED_BY(mutex_) = 0;
  int used_attempts_ ABSL_GUARDED_BY(mutex_) = 0;
  int used_refusals_left_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::Status refusal_ ABSL_GUARDED_BY(mutex_);
  // Handed to TakeFirst and Note, which lock.
  std::deque<v1::WatchConfigurationRequest> watches_;
  std::deque<grpc::Status> ended_;
  std::deque<v1::ReportStatusRequest> statuses_;
  std::deque<v1::ReportCatalogRequest> catalogs_;
  std::deque<v1::ReportUsedNextBootsRequest> used_;
  int port_ = 0;
  Service service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace autopxe::agent
