#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"

namespace autopxe {

// An immutable map whose successors share what did not change: With and Without copy one leaf and
// two arrays of 64 pointers, whatever the size. A leaf holds 1/4,096 of the entries, so a lookup
// among 100,000 compares about 24 keys. Values are cheap to copy (shared_ptr, numbers). Safe for
// concurrent readers, since nothing ever changes.
template <typename Key, typename Value>
class SharedMap {
  static constexpr size_t kFan = 64;
  using Leaf = std::vector<std::pair<Key, Value>>;

 public:
  // Makes a map of many entries at once: it fills its leaves in place and freezes them at the end.
  class Builder {
   public:
    // Room for about `expected` entries; more may come.
    explicit Builder(size_t expected = 0)
        // A quarter over the mean holds most leaves, so that they need not grow.
        : leaf_room_(expected / (kFan * kFan) * 5 / 4 + 2) {}

    // Null, and `key` has `value` now; or the value that it has already, which stays. What is
    // returned is valid until the next call.
    const Value* Add(const Key& key, Value value) {
      const size_t hash = Hash(key);
      std::vector<Growing>& branch = branches_[Upper(hash)];
      if (branch.empty()) branch.resize(kFan);
      Growing& growing = branch[Lower(hash)];
      Leaf& leaf = growing.leaf;
      const auto tag = static_cast<uint32_t>(hash >> 32);
      for (size_t i = 0; i < leaf.size(); ++i) {
        if (growing.tags[i] == tag && leaf[i].first == key) return &leaf[i].second;
      }
      if (leaf.empty()) {
        leaf.reserve(leaf_room_);
        growing.tags.reserve(leaf_room_);
      }
      leaf.emplace_back(key, std::move(value));
      growing.tags.push_back(tag);
      ++size_;
      return nullptr;
    }

    SharedMap Build() && {
      SharedMap result;
      if (size_ == 0) return result;
      auto root = std::make_shared<Root>();
      for (size_t upper = 0; upper < kFan; ++upper) {
        if (branches_[upper].empty()) continue;
        auto branch = std::make_shared<Branch>();
        for (size_t lower = 0; lower < kFan; ++lower) {
          Leaf& leaf = branches_[upper][lower].leaf;
          if (!leaf.empty()) (*branch)[lower] = std::make_shared<const Leaf>(std::move(leaf));
        }
        (*root)[upper] = std::move(branch);
      }
      result.size_ = size_;
      result.root_ = std::move(root);
      return result;
    }

   private:
    struct Growing {
      Leaf leaf;
      // Of each entry, bits of its key's hash that tell nothing of its place: side by side, they
      // are looked through in a fraction of what keys take.
      std::vector<uint32_t> tags;
    };

    std::array<std::vector<Growing>, kFan> branches_;  // Each empty, or of kFan leaves.
    const size_t leaf_room_;
    size_t size_ = 0;
  };

  SharedMap() = default;

  // The value, or null. Valid as long as this map, or any map that shares its leaf, lives.
  const Value* Find(const Key& key) const {
    const size_t hash = Hash(key);
    const Branch* branch = root_ == nullptr ? nullptr : root_->at(Upper(hash)).get();
    const Leaf* leaf = branch == nullptr ? nullptr : branch->at(Lower(hash)).get();
    if (leaf == nullptr) return nullptr;
    for (const auto& entry : *leaf) {
      if (entry.first == key) return &entry.second;
    }
    return nullptr;
  }

  // This map with `key` set to `value`.
  SharedMap With(const Key& key, Value value) const {
    return Replace(key, [&](Leaf& leaf, size_t& size) {
      for (auto& entry : leaf) {
        if (entry.first == key) {
          entry.second = std::move(value);
          return;
        }
      }
      leaf.emplace_back(key, std::move(value));
      ++size;
    });
  }

  // This map without `key`; the same map if it had none.
  SharedMap Without(const Key& key) const {
    if (Find(key) == nullptr) return *this;
    return Replace(key, [&](Leaf& leaf, size_t& size) {
      for (auto& entry : leaf) {
        if (entry.first == key) {
          entry = std::move(leaf.back());
          leaf.pop_back();
          --size;
          return;
        }
      }
    });
  }

  size_t size() const { return size_; }

  // Calls visit(key, value) for every entry, in no order.
  template <typename Visit>
  void ForEach(Visit visit) const {
    if (root_ == nullptr) return;
    for (const auto& branch : *root_) {
      if (branch == nullptr) continue;
      for (const auto& leaf : *branch) {
        if (leaf == nullptr) continue;
        for (const auto& [key, value] : *leaf) visit(key, value);
      }
    }
  }

 private:
  using Branch = std::array<std::shared_ptr<const Leaf>, kFan>;
  using Root = std::array<std::shared_ptr<const Branch>, kFan>;

  static size_t Hash(const Key& key) { return absl::Hash<Key>{}(key); }
  static size_t Upper(size_t hash) { return (hash >> 6) % kFan; }
  static size_t Lower(size_t hash) { return hash % kFan; }

  template <typename Edit>
  SharedMap Replace(const Key& key, Edit edit) const {
    const size_t hash = Hash(key);
    auto root = root_ == nullptr ? std::make_shared<Root>() : std::make_shared<Root>(*root_);
    auto& branch_slot = (*root)[Upper(hash)];
    auto branch = branch_slot == nullptr ? std::make_shared<Branch>()
                                         : std::make_shared<Branch>(*branch_slot);
    auto& leaf_slot = (*branch)[Lower(hash)];
    auto leaf =
        leaf_slot == nullptr ? std::make_shared<Leaf>() : std::make_shared<Leaf>(*leaf_slot);

    SharedMap result;
    result.size_ = size_;
    edit(*leaf, result.size_);
    leaf_slot = std::move(leaf);
    branch_slot = std::move(branch);
    result.root_ = std::move(root);
    return result;
  }

  std::shared_ptr<const Root> root_;
  size_t size_ = 0;
};

}  // namespace autopxe
