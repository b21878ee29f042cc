#include "common/model/shared_map.h"

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace autopxe {
namespace {

// All fall into one leaf.
struct Colliding {
  int number;
  friend bool operator==(const Colliding&, const Colliding&) = default;
  friend auto operator<=>(const Colliding&, const Colliding&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Colliding&) {
    return h;
  }
};

template <typename Key>
std::map<Key, int> Content(const SharedMap<Key, int>& map) {
  std::map<Key, int> content;
  map.ForEach([&](const Key& key, int value) {
    EXPECT_TRUE(content.emplace(key, value).second) << "visited twice";
  });
  return content;
}

template <typename Key, typename MakeKey>
void CompareWithStdMap(int seed, int keys, int steps, MakeKey make_key) {
  std::mt19937 random(seed);
  SharedMap<Key, int> map;
  std::map<Key, int> model;
  std::vector<std::pair<SharedMap<Key, int>, std::map<Key, int>>> kept;
  for (int step = 0; step < steps; ++step) {
    const Key key = make_key(static_cast<int>(random() % keys));
    if (random() % 5 < 3) {
      map = map.With(key, step);
      model[key] = step;
    } else {
      map = map.Without(key);
      model.erase(key);
    }
    ASSERT_EQ(map.size(), model.size());
    const int* found = map.Find(key);
    ASSERT_EQ(found != nullptr, model.count(key) == 1);
    if (found != nullptr) {
      ASSERT_EQ(*found, model[key]);
    }
    if (step % (steps / 10) == 0) kept.emplace_back(map, model);
  }
  ASSERT_EQ(Content(map), model);
  // Nothing that came later changed the earlier maps.
  for (const auto& [earlier, earlier_model] : kept) {
    EXPECT_EQ(Content(earlier), earlier_model);
    EXPECT_EQ(earlier.size(), earlier_model.size());
  }
}

TEST(SharedMapTest, BehavesAsStdMapDoesAndNeverChangesAnEarlierMap) {
  CompareWithStdMap<int>(1, 50, 2000, [](int number) { return number; });
  CompareWithStdMap<int>(2, 20000, 20000, [](int number) { return number; });
  CompareWithStdMap<std::string>(3, 500, 5000, [](int number) { return std::to_string(number); });
}

TEST(SharedMapTest, KeysOfOneHashAreKeptApart) {
  CompareWithStdMap<Colliding>(4, 20, 1000, [](int number) { return Colliding{number}; });
}

TEST(SharedMapTest, AnEmptyMapHasNothing) {
  const SharedMap<int, int> map;
  EXPECT_EQ(map.size(), 0u);
  EXPECT_EQ(map.Find(1), nullptr);
  EXPECT_EQ(map.Without(1).size(), 0u);
  EXPECT_TRUE(Content(map).empty());
}

TEST(SharedMapTest, AStepSharesAllButOneLeaf) {
  SharedMap<int, std::shared_ptr<int>> map;
  constexpr int kKeys = 100000;
  for (int key = 0; key < kKeys; ++key) map = map.With(key, std::make_shared<int>(key));
  const SharedMap<int, std::shared_ptr<int>> next = map.With(7, std::make_shared<int>(-7));
  int moved = 0;
  for (int key = 0; key < kKeys; ++key) {
    // The slot itself is the same where the leaf is shared.
    if (map.Find(key) != next.Find(key)) ++moved;
  }
  EXPECT_GE(moved, 1);
  EXPECT_LT(moved, 200);
  EXPECT_EQ(**map.Find(7), 7);
  EXPECT_EQ(**next.Find(7), -7);
}

template <typename Key, typename MakeKey>
void CompareBuilderWithStdMap(int seed, int keys, int entries, size_t expected, MakeKey make_key) {
  std::mt19937 random(seed);
  typename SharedMap<Key, int>::Builder builder(expected);
  std::map<Key, int> model;
  for (int entry = 0; entry < entries; ++entry) {
    const Key key = make_key(static_cast<int>(random() % keys));
    const auto [there, added] = model.emplace(key, entry);
    const int* const had = builder.Add(key, entry);
    ASSERT_EQ(had == nullptr, added);
    if (had != nullptr) {
      ASSERT_EQ(*had, there->second);
    }
  }
  const SharedMap<Key, int> map = std::move(builder).Build();
  EXPECT_EQ(map.size(), model.size());
  ASSERT_EQ(Content(map), model);
  for (const auto& [key, value] : model) {
    ASSERT_NE(map.Find(key), nullptr);
    ASSERT_EQ(*map.Find(key), value);
  }
  // A map like every other: what is built goes on by steps.
  const Key first = model.begin()->first;
  EXPECT_EQ(map.Without(first).size(), model.size() - 1);
  EXPECT_EQ(*map.With(first, -1).Find(first), -1);
  EXPECT_EQ(*map.Find(first), model.begin()->second);
}

TEST(SharedMapBuilderTest, MakesWhatStepsWouldMakeAndKeepsTheFirstOfTwo) {
  const auto same = [](int number) { return number; };
  CompareBuilderWithStdMap<int>(1, 3, 10, 0, same);
  CompareBuilderWithStdMap<int>(2, 20'000, 30'000, 30'000, same);
  CompareBuilderWithStdMap<int>(3, 20'000, 30'000, 0, same);
  CompareBuilderWithStdMap<std::string>(4, 500, 5'000, 500,
                                        [](int number) { return std::to_string(number); });
  CompareBuilderWithStdMap<Colliding>(5, 20, 100, 20, [](int number) { return Colliding{number}; });
}

TEST(SharedMapBuilderTest, OfNothingMakesAnEmptyMap) {
  const SharedMap<int, int> map = SharedMap<int, int>::Builder(100).Build();
  EXPECT_EQ(map.size(), 0u);
  EXPECT_EQ(map.Find(1), nullptr);
  EXPECT_TRUE(Content(map).empty());
}

}  // namespace
}  // namespace autopxe
