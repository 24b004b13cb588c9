//! What every store promises, as one suite of tests that runs on each of them.
//!
//! A new store is registered by one line at the foot of this file. No test reads a clock: now is handed in, so no test
//! breaks on some later date.

mod expiry;
mod listings;
mod races;
mod records;
mod transactions;

/// Every promise, on the store that `open` opens.
macro_rules! keeps_the_contract {
    ($store:ident, $open:path) => {
        keeps_the_contract!($store, $open;
            records::what_is_put_can_be_read_and_deleted
            records::values_are_any_bytes
            records::versions_differ_after_every_change_even_over_deletion
            records::versions_grow_from_record_to_record_and_from_table_to_table
            records::versions_stay_when_others_change
            records::counts_are_by_table_and_follow_changes
            transactions::one_failing_expectation_means_that_nothing_is_written
            transactions::expectations_are_judged_before_any_change
            transactions::an_expectation_of_anything_always_holds
            transactions::what_is_too_large_or_contradicts_itself_is_refused_whole
            expiry::a_record_exists_until_its_end_and_not_at_it
            expiry::an_end_can_be_moved_and_taken_away
            expiry::creating_needs_absence_and_an_expired_record_is_absent
            expiry::a_purge_removes_what_has_expired_a_bounded_number_at_a_time
            listings::a_listing_is_by_prefix_in_order_and_in_pages
            listings::a_listing_skips_what_has_expired_without_counting_it
            listings::keys_are_any_text_and_order_is_that_of_their_bytes
            races::of_fifty_that_race_for_one_record_exactly_one_wins_each_round
            races::nothing_is_lost_when_many_count_up_one_record
        );
    };
    ($store:ident, $open:path; $($about:ident::$promise:ident)*) => {
        mod $store {
            $(
                #[tokio::test]
                async fn $promise() {
                    let subject = $open();
                    super::$about::$promise(subject.store()).await;
                }
            )*
        }
    };
}

keeps_the_contract!(memory, crate::store::testing::memory);
keeps_the_contract!(embedded, crate::store::testing::embedded);
